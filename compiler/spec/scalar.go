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
	case '=':
		if s == "=" {
			return value.Value{}, fmt.Errorf("a single = means nothing here: put it between quotes")
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
	if v, ok := integer(s); ok {
		return v, nil
	}
	if v, ok := decimal(s); ok {
		return v, nil
	}
	if len(s) >= 8 && s[0] >= '0' && s[0] <= '9' && s[4] == '-' {
		return timestamp(s)
	}
	return value.Of(s), nil
}

// integer is PyYAML's int: binary, octal with a leading 0, decimal, hexadecimal, base 60, all with _ allowed between digits.
func integer(s string) (value.Value, bool) {
	digits, negative := s, false
	if s[0] == '-' || s[0] == '+' {
		negative, digits = s[0] == '-', s[1:]
	}
	if digits == "" {
		return value.Value{}, false
	}
	base := 10
	switch {
	case strings.HasPrefix(digits, "0b"):
		base, digits = 2, digits[2:]
	case strings.HasPrefix(digits, "0x"):
		base, digits = 16, digits[2:]
	case digits[0] == '0' && len(digits) > 1:
		base, digits = 8, digits[1:]
	case digits[0] == '_':
		return value.Value{}, false
	}
	if base == 10 && strings.Contains(digits, ":") {
		return sexagesimal(digits, negative)
	}
	clean := strings.ReplaceAll(digits, "_", "")
	if clean == "" { // "0b_" has the form, and is an error in PyYAML; a lone 0 with underscores is zero
		return value.Of(0), base == 8
	}
	n, ok := new(big.Int).SetString(clean, base)
	if !ok || clean[0] == '-' || clean[0] == '+' {
		return value.Value{}, false
	}
	if negative {
		n.Neg(n)
	}
	if n.IsInt64() {
		return value.Of(n.Int64()), true
	}
	return value.Value{Kind: value.Int, Text: n.String()}, true
}

// sexagesimal is 12:30:45 as a number: the first part any digits not beginning with 0, the others 0 to 59.
func sexagesimal(digits string, negative bool) (value.Value, bool) {
	parts := strings.Split(digits, ":")
	first := strings.ReplaceAll(parts[0], "_", "")
	if first == "" || first[0] == '0' {
		return value.Value{}, false
	}
	total, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return value.Value{}, false
	}
	for _, p := range parts[1:] {
		if !sixty(p) || total > math.MaxInt64/61 {
			return value.Value{}, false
		}
		n, _ := strconv.ParseInt(p, 10, 64)
		total = total*60 + n
	}
	if negative {
		total = -total
	}
	return value.Of(total), true
}

// sixty is [0-5]?[0-9].
func sixty(p string) bool {
	return len(p) == 1 && isDigit(p[0]) || len(p) == 2 && p[0] >= '0' && p[0] <= '5' && isDigit(p[1])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// decimal is PyYAML's float: a point is needed, an exponent needs its sign (1.5e3 is text), .inf and .nan, base 60 with a fraction.
func decimal(s string) (value.Value, bool) {
	if s == "" {
		return value.Value{}, false
	}
	body, sign := s, 1.0
	if s[0] == '-' || s[0] == '+' {
		if s[0] == '-' {
			sign = -1
		}
		body = s[1:]
	}
	switch body {
	case ".inf", ".Inf", ".INF":
		return value.Of(math.Inf(int(sign))), true
	case ".nan", ".NaN", ".NAN":
		return value.Of(math.NaN()), body == s
	}
	whole, fraction, ok := strings.Cut(body, ".")
	if !ok || (whole == "" && body != s) {
		return value.Value{}, false
	}
	if strings.Contains(whole, ":") {
		return sexagesimalFraction(whole, fraction, sign)
	}
	mantissa, exponent := fraction, ""
	if i := strings.IndexAny(fraction, "eE"); i >= 0 {
		mantissa, exponent = fraction[:i], fraction[i+1:]
		if len(exponent) < 2 || (exponent[0] != '-' && exponent[0] != '+') || !allDigits(exponent[1:], false) {
			return value.Value{}, false
		}
	}
	if (whole != "" && (!isDigit(whole[0]) || !allDigits(whole, true))) || !allDigits(mantissa, true) {
		return value.Value{}, false
	}
	if whole == "" && (mantissa == "" || !isDigit(mantissa[0])) {
		return value.Value{}, false
	}
	text := strings.ReplaceAll(whole+"."+mantissa, "_", "")
	if exponent != "" {
		text += "e" + exponent
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return value.Value{}, false
	}
	return value.Of(sign * f), true
}

func sexagesimalFraction(whole, fraction string, sign float64) (value.Value, bool) {
	parts := strings.Split(whole, ":")
	if !isDigit(parts[0][0:1][0]) || !allDigits(parts[0], true) || !allDigits(fraction, true) {
		return value.Value{}, false
	}
	total, err := strconv.ParseFloat(strings.ReplaceAll(parts[0], "_", ""), 64)
	if err != nil {
		return value.Value{}, false
	}
	for i, p := range parts[1:] {
		if !sixty(p) {
			return value.Value{}, false
		}
		if i == len(parts)-2 {
			p += "." + strings.ReplaceAll(fraction, "_", "")
		}
		n, _ := strconv.ParseFloat(p, 64)
		total = total*60 + n
	}
	return value.Of(sign * total), true
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
	if t.Day() != day || int(t.Month()) != month || t.Hour() != hour || t.Minute() != minute || t.Second() != second || year == 0 {
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
