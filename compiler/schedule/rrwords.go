// The words that dates inside recurrence rules may hold, as dateutil's parser lists them, and the shapes of its tokens. Texts are in
// capitals by the time they get here.
package schedule

import (
	"strconv"
	"strings"
)

// cut is Python's s[from:to] by characters.
func cut(s string, from, to int) string {
	runes := []rune(s)
	return string(runes[min(from, len(runes)):min(to, len(runes))])
}

// isNumber: digits, perhaps with one dot and digits behind it. The tokens allow no other number.
func isNumber(t string) bool {
	whole, part, dot := strings.Cut(t, ".")
	_, ok := digitsOnly(whole)
	if dot {
		_, fine := digitsOnly(part)
		ok = ok && fine
	}
	return ok
}

// fractionOf is what stands behind a number's dot.
func fractionOf(t string) float64 {
	_, part, dot := strings.Cut(t, ".")
	if !dot {
		return 0
	}
	var b strings.Builder
	b.WriteString("0.")
	for _, r := range part {
		n, _ := digitValue(r)
		b.WriteByte(byte('0' + n))
	}
	f, _ := strconv.ParseFloat(b.String(), 64)
	return f
}

func isCapitals(t string) bool {
	for i := 0; i < len(t); i++ {
		if t[i] < 'A' || t[i] > 'Z' {
			return false
		}
	}
	return t != ""
}

func isWeekdayName(t string) bool {
	switch t {
	case "MON", "MONDAY", "TUE", "TUESDAY", "WED", "WEDNESDAY", "THU", "THURSDAY", "FRI", "FRIDAY", "SAT", "SATURDAY", "SUN", "SUNDAY":
		return true
	}
	return false
}

// monthNumber is 1 to 12 for a month's name, else 0.
func monthNumber(t string) int {
	for i, name := range [...]string{"JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER",
		"NOVEMBER", "DECEMBER"} {
		if t == name || t == name[:3] || i == 8 && t == "SEPT" {
			return i + 1
		}
	}
	return 0
}

func ampmOf(t string) int {
	switch t {
	case "AM", "A":
		return 0
	case "PM", "P":
		return 1
	}
	return -1
}

// to24 turns an hour of a 12-hour clock.
func to24(hour, half int) int {
	switch {
	case hour < 12 && half == 1:
		return hour + 12
	case hour == 12 && half == 0:
		return 0
	}
	return hour
}

// hmsOf is 0, 1 or 2 for the words of hours, minutes and seconds, else -1.
func hmsOf(t string) int {
	switch t {
	case "H", "HOUR", "HOURS":
		return 0
	case "M", "MINUTE", "MINUTES":
		return 1
	case "S", "SECOND", "SECONDS":
		return 2
	}
	return -1
}

// isJump: words and signs that a date may hold without meaning.
func isJump(t string) bool {
	switch t {
	case " ", ".", ",", ";", "-", "/", "'", "AT", "ON", "AND", "AD", "M", "T", "OF", "ST", "ND", "RD", "TH":
		return true
	}
	return false
}
