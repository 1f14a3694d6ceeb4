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

// isPosixZone: three letters or more, an offset, perhaps the same for summer time.
func isPosixZone(s string) bool {
	s, ok := posixPart(s)
	if !ok || s == "" {
		return ok
	}
	letters := strings.TrimLeft(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	if len(s)-len(letters) < 3 {
		return false
	}
	if letters == "" {
		return true
	}
	rest, ok := posixPart(s)
	return ok && rest == ""
}

// posixPart takes letters and an offset (1, 2 or 4 digits) from the front.
func posixPart(s string) (rest string, ok bool) {
	rest = strings.TrimLeft(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	if len(s)-len(rest) < 3 {
		return rest, false
	}
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	after := strings.TrimLeft(rest, "0123456789")
	digits := len(rest) - len(after)
	return after, digits == 1 || digits == 2 || digits == 4
}
