// What a plain scalar means. Prefect reads prefect.yaml with PyYAML, which follows YAML 1.1: `yes` is true, `017` is 15, `12:30:45` is a
// number in base 60, `0o17` and `1e3` are text, and a date is a date. yaml.v3 follows another mixture of 1.1 and 1.2, so its own resolution is
// not used: the rules of PyYAML's resolver are written out here, and were compared with PyYAML 6.0.3 over a generated list of scalars.
package spec

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/diag"
	"github.com/org/prefect-deploy-action/compiler/value"
)

// plain resolves an unquoted scalar. The error is for text that has the form of a date or number but is none, where PyYAML itself fails.
func plain(s string) (value.Value, error) {
	if s == "" {
		return value.Value{}, nil
	}
	switch s[0] {
	case 'y', 'Y', 'n', 'N', 't', 'T', 'f', 'F', 'o', 'O', '~':
		return word(s), nil
	case '-', '+', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return numeric(s)
	case '=', '<':
		if s == "=" || s == "<<" {
			return value.Of(s), fmt.Errorf("%s alone means nothing here: put it between quotes", s)
		}
	}
	return value.Of(s), nil
}

func word(s string) value.Value {
	switch s {
	case "~", "null", "Null", "NULL":
		return value.Value{}
	case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
		return value.Of(true)
	case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return value.Of(false)
	}
	return value.Of(s)
}

func numeric(s string) (value.Value, error) {
	switch {
	case integerForm(s):
		return integer(s)
	case decimalForm(s):
		return decimal(s)
	case len(s) >= 8 && isDigit(s[0]) && s[4] == '-':
		return timestamp(s)
	}
	return value.Of(s), nil
}

// longest is the number of digits up to which Python turns text into a number.
const longest = 4300

// integerForm is PyYAML's pattern of an int: binary, octal with a leading 0, decimal, hexadecimal, base 60, all with _ among the digits.
func integerForm(s string) bool {
	digits := unsigned(s)
	switch {
	case digits == "" || digits[0] == '_':
		return false
	case strings.HasPrefix(digits, "0b"):
		return len(digits) > 2 && strings.Trim(digits[2:], "01_") == ""
	case strings.HasPrefix(digits, "0x"):
		return len(digits) > 2 && strings.Trim(digits[2:], "0123456789abcdefABCDEF_") == ""
	case digits[0] == '0':
		return strings.Trim(digits, "01234567_") == ""
	}
	first, rest, sexagesimal := strings.Cut(digits, ":")
	return allDigits(first, true) && first != "" && (!sexagesimal || sixties(rest))
}

// unsigned is s without its sign.
func unsigned(s string) string {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		return s[1:]
	}
	return s
}

// integer is PyYAML's constructor, which also gets the text behind !!int, whatever its form.
func integer(s string) (value.Value, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && (s[0] != '0' || s == "0") && unsigned(s)[0] != '0' {
		return value.Of(n), nil
	}
	fault := fmt.Errorf("%s is not a whole number: correct it, or put it between quotes", diag.Quote(s))
	text := strings.ReplaceAll(s, "_", "")
	digits := unsigned(text)
	n, ok := new(big.Int), false
	switch {
	case digits == "" || len(digits) > longest:
		return value.Value{}, fault
	case strings.HasPrefix(digits, "0b"):
		n, ok = pythonInt(digits[2:], 2)
	case strings.HasPrefix(digits, "0x"):
		n, ok = pythonInt(digits[2:], 16)
	case digits[0] == '0':
		n, ok = pythonInt(digits, 8)
	default:
		for i, part := range strings.Split(digits, ":") {
			var x *big.Int
			if x, ok = pythonInt(part, 10); !ok {
				break
			}
			if i > 0 {
				n.Mul(n, big.NewInt(60))
			}
			n.Add(n, x)
		}
	}
	if !ok {
		return value.Value{}, fault
	}
	if text[0] == '-' {
		n.Neg(n)
	}
	if n.IsInt64() {
		return value.Of(n.Int64()), nil
	}
	return value.Value{Kind: value.Int, Text: n.String()}, nil
}

// pythonInt is Python's int(text, base): space around, a sign, and for 2, 8 and 16 the prefix of the base.
func pythonInt(text string, base int) (*big.Int, bool) {
	text = strings.TrimSpace(text)
	body := unsigned(text)
	prefix := map[int]string{2: "0b", 8: "0o", 16: "0x"}[base]
	if prefix != "" && len(body) > 2 && strings.EqualFold(body[:2], prefix) {
		text = text[:len(text)-len(body)] + body[2:]
		body = body[2:]
	}
	if body == "" || body[0] == '-' || body[0] == '+' {
		return nil, false
	}
	return new(big.Int).SetString(text, base)
}

// sixties is 0 to 59, joined by colons.
func sixties(s string) bool {
	for {
		part, rest, more := strings.Cut(s, ":")
		if !(len(part) == 1 && isDigit(part[0]) || len(part) == 2 && part[0] >= '0' && part[0] <= '5' && isDigit(part[1])) {
			return false
		}
		if !more {
			return true
		}
		s = rest
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// decimalForm is PyYAML's pattern of a float: a point is needed, an exponent needs its sign (1.5e3 is text), .inf and .nan, base 60 with a fraction.
func decimalForm(s string) bool {
	body := unsigned(s)
	switch body {
	case ".inf", ".Inf", ".INF":
		return true
	case ".nan", ".NaN", ".NAN":
		return body == s
	}
	whole, fraction, ok := strings.Cut(body, ".")
	if !ok {
		return false
	}
	if first, rest, sexagesimal := strings.Cut(whole, ":"); sexagesimal {
		return first != "" && isDigit(first[0]) && allDigits(first, true) && sixties(rest) && allDigits(fraction, true)
	}
	if i := strings.IndexAny(fraction, "eE"); i >= 0 {
		exponent := fraction[i+1:]
		if len(exponent) < 2 || unsigned(exponent) == exponent || !allDigits(exponent[1:], false) {
			return false
		}
		fraction = fraction[:i]
	}
	if whole == "" {
		return body == s && fraction != "" && isDigit(fraction[0]) && allDigits(fraction, true)
	}
	return isDigit(whole[0]) && allDigits(whole, true) && allDigits(fraction, true)
}

// decimal is PyYAML's constructor, which also gets the text behind !!float, whatever its form.
func decimal(s string) (value.Value, error) {
	fault := fmt.Errorf("%s is not a number: correct it, or put it between quotes", diag.Quote(s))
	text := strings.ToLower(strings.ReplaceAll(s, "_", ""))
	body := unsigned(text)
	sign := 1.0
	if strings.HasPrefix(text, "-") {
		sign = -1
	}
	switch body {
	case "":
		return value.Value{}, fault
	case ".inf":
		return value.Of(math.Inf(int(sign))), nil
	case ".nan":
		return value.Of(math.NaN()), nil
	}
	total := 0.0
	for i, part := range strings.Split(body, ":") {
		f, ok := pythonFloat(part)
		if !ok {
			return value.Value{}, fault
		}
		if i > 0 {
			f += total * 60
		}
		total = f
	}
	return value.Of(sign * total), nil
}

// pythonFloat is Python's float(text), which knows no hexadecimal and takes a number that is too large as infinite.
func pythonFloat(text string) (float64, bool) {
	text = strings.TrimSpace(text)
	if strings.ContainsAny(text, "xX_pP") {
		return 0, false
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil || math.IsInf(f, 0)
}

func allDigits(s string, underscores bool) bool {
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) && (!underscores || s[i] != '_') {
			return false
		}
	}
	return true
}

// timestamp is a date (2024-01-02) or a moment with one of YAML's many separators, written as Prefect's JSON holds it.
func timestamp(s string) (value.Value, error) {
	if len(s) == 10 && allDigits(s[:4], false) && s[7] == '-' && allDigits(s[5:7], false) && allDigits(s[8:], false) {
		if _, err := time.Parse("2006-01-02", s); err != nil || s[:4] == "0000" {
			return value.Value{}, fmt.Errorf("%s has the form of a date but is none: correct it, or put it between quotes", s)
		}
		return dated(s), nil
	}
	text, ok, err := moment(s)
	if err != nil || !ok {
		return value.Of(s), err
	}
	return dated(text), nil
}

func dated(s string) value.Value { return value.Value{Kind: value.Text, Text: s, Origin: value.Dated} }

// day24 is a day in minutes: Python's offsets stay below.
const day24 = 24 * 60

// moment reads 2001-12-14t21:59:43.10-05:00 and its like; ok is false when s does not have the form.
func moment(s string) (string, bool, error) {
	r := reader{s: s}
	year := r.digits(4, 4)
	month := r.after('-', 1, 2)
	day := r.after('-', 1, 2)
	if r.bad || !r.separator() {
		return "", false, nil
	}
	hour := r.digits(1, 2)
	minute := r.after(':', 2, 2)
	second := r.after(':', 2, 2)
	if r.bad {
		return "", false, nil
	}
	micros := r.fraction()
	zone, offset := r.zone()
	if r.bad || r.s != "" {
		return "", false, nil
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, micros*1000, time.UTC)
	if t.Day() != day || int(t.Month()) != month || t.Hour() != hour || t.Minute() != minute || t.Second() != second || year == 0 || offset <= -day24 || offset >= day24 {
		return "", true, fmt.Errorf("%s has the form of a date but is none: correct it, or put it between quotes", s)
	}
	out := t.Format("2006-01-02T15:04:05")
	if micros > 0 {
		out += fmt.Sprintf(".%06d", micros)
	}
	switch {
	case zone && offset == 0:
		out += "Z"
	case zone:
		sign := '+'
		if offset < 0 {
			sign, offset = '-', -offset
		}
		out += fmt.Sprintf("%c%02d:%02d", sign, offset/60, offset%60)
	}
	return out, true, nil
}

// reader takes a text apart from the left; bad stays set after the first thing that does not fit.
type reader struct {
	s   string
	bad bool
}

func (r *reader) digits(least, most int) int {
	n := 0
	for n < most && n < len(r.s) && isDigit(r.s[n]) {
		n++
	}
	if n < least {
		r.bad = true
		return 0
	}
	v, _ := strconv.Atoi(r.s[:n])
	r.s = r.s[n:]
	return v
}

func (r *reader) after(c byte, least, most int) int {
	if r.s == "" || r.s[0] != c {
		r.bad = true
		return 0
	}
	r.s = r.s[1:]
	return r.digits(least, most)
}

func (r *reader) separator() bool {
	if r.s != "" && (r.s[0] == 'T' || r.s[0] == 't') {
		r.s = r.s[1:]
		return true
	}
	trimmed := strings.TrimLeft(r.s, " \t")
	ok := trimmed != r.s
	r.s = trimmed
	return ok
}

// fraction reads ".10" as microseconds; digits past the sixth are dropped.
func (r *reader) fraction() int {
	if r.s == "" || r.s[0] != '.' {
		return 0
	}
	n := 1
	for n < len(r.s) && isDigit(r.s[n]) {
		n++
	}
	digits := (r.s[1:n] + "000000")[:6]
	r.s = r.s[n:]
	v, _ := strconv.Atoi(digits)
	return v
}

// zone reads Z or an offset, in minutes.
func (r *reader) zone() (has bool, minutes int) {
	r.s = strings.TrimLeft(r.s, " \t")
	if r.s == "" {
		return false, 0
	}
	if r.s == "Z" {
		r.s = ""
		return true, 0
	}
	sign := 1
	switch r.s[0] {
	case '-':
		sign = -1
	case '+':
	default:
		r.bad = true
		return false, 0
	}
	r.s = r.s[1:]
	minutes = r.digits(1, 2) * 60
	if r.s != "" {
		minutes += r.after(':', 2, 2)
	}
	return true, sign * minutes
}
