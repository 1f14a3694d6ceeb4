// Calls in defaults that are understood: constructors of the standard library's small value types, with constant arguments.

package flow

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/org/prefect-deploy-action/compiler/flow/pysource"
)

func (s *loading) construct(m *module, e pysource.Expr, at uint32) value {
	callee := s.object(m, e.Items[0], at)
	if callee.kind == definition {
		d := callee.mod.file.Defs[callee.def]
		if d.Kind == pysource.Class && s.plainClass(callee, 0) {
			return value{state: valueUnserialisable, kind: "object"}
		}
		return unknownValue("it is the result of a call")
	}
	if callee.kind != builtin && callee.kind != external {
		return unknownValue("it is the result of a call")
	}
	positional := []value{}
	named := map[string]value{}
	for i, x := range e.Items[1:] {
		v := s.eval(m, x, at)
		k := e.Keywords[i]
		if k == "tzinfo" && canonical(s.object(m, x, at)) == "datetime.timezone.utc" {
			v = known("utc", nil)
		}
		if v.state != valueKnown || k == "*" || k == "**" {
			return unknownValue("it is the result of a call with arguments that are no constants")
		}
		if k == "" {
			positional = append(positional, v)
		} else {
			named[k] = v
		}
	}
	return build(canonical(callee), positional, named)
}

func build(name string, args []value, named map[string]value) value {
	switch name {
	case "pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath":
		return pathValue(args, named)
	case "datetime.timedelta":
		return timedelta(args, named)
	case "datetime.date":
		if t, ok := moment(args, named, []string{"year", "month", "day"}, 3); ok {
			return known("date", t.Format("2006-01-02"))
		}
	case "datetime.datetime":
		zone := ""
		if v, ok := named["tzinfo"]; ok {
			if v.kind != "utc" {
				return unknownValue("a time with a zone")
			}
			zone = "Z"
		}
		if t, ok := moment(args, named, []string{"year", "month", "day", "hour", "minute", "second", "microsecond"}, 3); ok {
			return known("datetime", t.Format("2006-01-02T15:04:05")+fraction(t)+zone)
		}
	case "datetime.time":
		if t, ok := moment(args, named, []string{"hour", "minute", "second", "microsecond"}, 0); ok {
			return known("time", t.Format("15:04:05")+fraction(t))
		}
	case "uuid.UUID":
		if len(args) == 1 && len(named) == 0 && args[0].kind == "str" {
			if u, ok := canonicalUUID(args[0].json.(string)); ok {
				return known("uuid", u)
			}
		}
	case "decimal.Decimal":
		if len(args) == 1 && len(named) == 0 && (args[0].kind == "str" || args[0].kind == "int") {
			text := fmt.Sprint(args[0].json)
			if plainDecimal(text) {
				return known("decimal", text)
			}
		}
	case "list", "dict", "tuple":
		if len(args) == 0 && (len(named) == 0 || name == "dict") {
			return emptyOrNamed(name, named)
		}
	}
	return unknownValue("it is the result of calling " + name)
}

func emptyOrNamed(name string, named map[string]value) value {
	if name != "dict" {
		return known(name, []any{})
	}
	d := make(map[string]any, len(named))
	for k, v := range named {
		d[k] = v.json
	}
	return known("dict", d)
}

func pathValue(args []value, named map[string]value) value {
	parts := []string{}
	for _, a := range args {
		if a.kind != "str" || strings.Contains(a.json.(string), "..") || strings.HasPrefix(a.json.(string), "//") {
			return unknownValue("it is the result of calling pathlib.Path")
		}
		p := a.json.(string)
		if strings.HasPrefix(p, "/") {
			parts = parts[:0]
		}
		parts = append(parts, p)
	}
	if len(named) > 0 {
		return unknownValue("it is the result of calling pathlib.Path")
	}
	return known("path", path.Join(append([]string{"."}, parts...)...)).rooted(parts)
}

// rooted keeps an absolute path absolute, which joining below "." would not.
func (v value) rooted(parts []string) value {
	if len(parts) > 0 && strings.HasPrefix(parts[0], "/") {
		v.json = path.Join(parts...)
	}
	return v
}

// moment fills the named fields from positional and keyword arguments; the first required ones must be there.
func moment(args []value, named map[string]value, fields []string, required int) (time.Time, bool) {
	got := map[string]int{}
	if len(args) > len(fields) {
		return time.Time{}, false
	}
	for i := range args {
		got[fields[i]] = i
	}
	n := func(field string, otherwise int64) (int64, bool) {
		v, ok := named[field]
		if i, at := got[field]; at {
			v, ok = args[i], true
		}
		if !ok {
			return otherwise, false
		}
		i, isInt := v.json.(int64)
		if !isInt || v.kind != "int" || i < 0 || i > 999999 {
			return -1, true
		}
		return i, true
	}
	for _, f := range fields[:required] {
		if _, ok := n(f, 0); !ok {
			return time.Time{}, false
		}
	}
	known := len(args)
	var v [7]int
	for i, f := range []string{"year", "month", "day", "hour", "minute", "second", "microsecond"} {
		x, ok := n(f, []int64{2000, 1, 1, 0, 0, 0, 0}[i])
		if x < 0 || ok && !contains(fields, f) {
			return time.Time{}, false
		}
		if _, byName := named[f]; byName {
			known++
		}
		v[i] = int(x)
	}
	if _, ok := named["tzinfo"]; ok {
		known++
	}
	if known != len(args)+len(named) {
		return time.Time{}, false
	}
	t := time.Date(v[0], time.Month(v[1]), v[2], v[3], v[4], v[5], v[6]*1000, time.UTC)
	same := t.Year() == v[0] && int(t.Month()) == v[1] && t.Day() == v[2] && t.Hour() == v[3] && t.Minute() == v[4] && t.Second() == v[5] && v[0] >= 1 && v[0] <= 9999
	return t, same
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// fraction writes microseconds as pydantic does: six digits, or none.
func fraction(t time.Time) string {
	if us := t.Nanosecond() / 1000; us != 0 {
		return fmt.Sprintf(".%06d", us)
	}
	return ""
}

// timedelta gives the ISO 8601 duration of whole and half seconds and more; finer ones are unknown.
func timedelta(args []value, named map[string]value) value {
	units := map[string]float64{"days": 86400, "seconds": 1, "minutes": 60, "hours": 3600, "weeks": 604800}
	if len(args) > 1 {
		return unknownValue("a timedelta with several positional arguments")
	}
	total, count := 0.0, 0
	add := func(unit string, v value) bool {
		n, ok := number(v)
		total += n * units[unit]
		return ok && units[unit] != 0
	}
	for _, a := range args {
		if !add("days", a) {
			return unknownValue("a timedelta of unknown length")
		}
	}
	for _, unit := range []string{"days", "seconds", "minutes", "hours", "weeks"} {
		if v, ok := named[unit]; ok {
			count++
			if !add(unit, v) {
				return unknownValue("a timedelta of unknown length")
			}
		}
	}
	half := total * 2
	if count != len(named) || half != float64(int64(half)) || total < 0 || total > 86400*300 {
		return unknownValue("a timedelta of unusual length")
	}
	return known("timedelta", duration(total))
}

func duration(total float64) string {
	days := int(total) / 86400
	rest := total - float64(days)*86400
	hours, minutes := int(rest)/3600, int(rest)%3600/60
	seconds := rest - float64(hours*3600+minutes*60)
	var b strings.Builder
	b.WriteByte('P')
	if days > 0 {
		fmt.Fprintf(&b, "%dD", days)
	}
	if hours > 0 || minutes > 0 || seconds > 0 || days == 0 {
		b.WriteByte('T')
	}
	if hours > 0 {
		fmt.Fprintf(&b, "%dH", hours)
	}
	if minutes > 0 {
		fmt.Fprintf(&b, "%dM", minutes)
	}
	if seconds > 0 || total == 0 {
		b.WriteString(strconv.FormatFloat(seconds, 'f', -1, 64) + "S")
	}
	return b.String()
}

func canonicalUUID(text string) (string, bool) {
	hex := strings.ToLower(strings.ReplaceAll(text, "-", ""))
	if len(hex) != 32 || strings.Trim(hex, "0123456789abcdef") != "" {
		return "", false
	}
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:], true
}

// plainDecimal reports whether Decimal's str gives back the text itself.
func plainDecimal(text string) bool {
	whole, part, dot := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (len(whole) == 1 || whole[0] != '0') && (!dot || digits(part) && len(part) <= 6)
}
