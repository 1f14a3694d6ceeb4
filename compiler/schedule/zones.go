// Names of time zones. The compiler does not read the machine's zone files, so the names of the IANA database (links included) are
// embedded; testdata/zones.py wrote them. Where a run happens the rules of the zone are the server's business.
package schedule

import (
	_ "embed"
	"fmt"
	"strings"
)

// zoneNames holds one name a line, sorted by bytes, with a newline before the first and after the last.
//
//go:embed zones.txt
var zoneNames string

// isZone looks a name up; names have no newline, so a match of the whole line is exact.
func isZone(name string) bool {
	return name != "" && !strings.ContainsAny(name, "\n\r") && strings.Contains(zoneNames, "\n"+name+"\n")
}

// CheckTimezone is nil for a time zone that Prefect 3.8 accepts beside cron and interval: a name of Python's zoneinfo, or "" which
// means none.
func CheckTimezone(name string) *Problem {
	if name == "" || isZone(name) {
		return nil
	}
	return zoneProblem(name)
}

// CheckRRuleTimezone is the same beside rrule, where Prefect asks pytz instead: it does not know Factory, and refuses "".
func CheckRRuleTimezone(name string) *Problem {
	if name != "Factory" && isZone(name) {
		return nil
	}
	return zoneProblem(name)
}

func zoneProblem(name string) *Problem {
	help := `write a name of the IANA database such as "Europe/Berlin" or "UTC"`
	if near := nearestZone(name); near != "" {
		help = fmt.Sprintf("did you mean %q?", near)
	}
	return &Problem{Code: "invalid-timezone", Message: fmt.Sprintf("%s is no time zone", quote(name)), Help: help, Length: len(name)}
}

// nearestZone finds a name that differs only in case and separators, or is the city of exactly that name.
func nearestZone(name string) string {
	if len(name) > 40 || name == "" {
		return ""
	}
	plain := func(s string) string {
		return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(s))
	}
	want := plain(name)
	for zone := range strings.SplitSeq(strings.Trim(zoneNames, "\n"), "\n") {
		got := plain(zone)
		if got == want || strings.HasSuffix(got, "/"+want) {
			return zone
		}
	}
	return ""
}

// zoneForRules tells whether dateutil finds a zone of this name for a TZID (an unknown one is ignored there): a name of the
// database, blanks for underscores, or a POSIX description such as EST5EDT or UTC+3.
func zoneForRules(name string) bool {
	name = strings.TrimPrefix(name, ":")
	return isZone(name) || isZone(strings.ReplaceAll(name, " ", "_")) || isPosixZone(name)
}

// isPosixZone: what dateutil takes for a POSIX description. Without a digit it does not even try. A name is any text free of
// digits, signs, commas and colons; an offset has 1, 2 or 4 digits; a second name and offset are summer time; rules after a comma
// say when it begins and ends.
func isPosixZone(s string) bool {
	if !strings.ContainsAny(s, "0123456789") {
		return false
	}
	named := false
	for range 2 {
		name := strings.IndexAny(s+",", "0123456789:,-+")
		// A sign behind other characters that are neither letters nor dots ("/+") belongs to their token and is no sign.
		if name == 0 || name < len(s) && (s[name] == '+' || s[name] == '-') && !isLetterOrDot(s[name-1]) {
			break
		}
		named, s = true, s[name:]
		rest := strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-"), "0123456789")
		signed := s != "" && (s[0] == '+' || s[0] == '-')
		digits := len(s) - len(rest)
		if signed {
			digits--
		}
		if (signed || digits > 0) && digits != 1 && digits != 2 && digits != 4 {
			return false
		}
		s = rest
	}
	rules, comma := strings.CutPrefix(s, ",")
	return s == "" && named || comma && named && arePosixRules(rules)
}

func isLetterOrDot(c byte) bool { return c == '.' || c|0x20 >= 'a' && c|0x20 <= 'z' }

// arePosixRules reads two of M3.2.0, J60 or 59, each perhaps with /2.
func arePosixRules(s string) bool {
	if s == "" {
		return true
	}
	first, second, two := strings.Cut(s, ",")
	if !two || strings.Contains(second, ",") {
		return false
	}
	for _, rule := range []string{first, second} {
		day, clock, timed := strings.Cut(rule, "/")
		if _, ok := allDigits(clock); timed && (!ok || len(clock) > 2 && len(clock) != 4) {
			return false
		}
		if weeks, monthly := strings.CutPrefix(day, "M"); monthly {
			parts := strings.Split(strings.ReplaceAll(weeks, "-", "."), ".")
			if len(parts) != 3 {
				return false
			}
			for _, part := range parts {
				if _, ok := allDigits(part); !ok {
					return false
				}
			}
			continue
		}
		if n, ok := allDigits(strings.TrimPrefix(day, "J")); !ok || n > 366 {
			return false
		}
	}
	return true
}
