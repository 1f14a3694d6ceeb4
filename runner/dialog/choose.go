// Choosing from a list: by number, several at once, or by a word that makes the list shorter. A number stays with its item however short the list gets.
package dialog

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// Item is one line of a list.
type Item struct {
	Name string
	// Note says what it is.
	Note string
}

// List is a question with items to choose from.
type List struct {
	Question string
	Items    []Item
	// Many allows several.
	Many bool
	// Given is the number (from 1) that an empty answer means, 0 for none.
	Given int
	// Other is a word that may be typed in place of an item, "" for none, and OtherNote what it means.
	Other, OtherNote string
}

// Choose asks until something is chosen: the indices of items, in the list's order, or none for the other word.
func (t *Terminal) Choose(ctx context.Context, l List) ([]int, error) {
	t.Say("%s", l.Question)
	shown := l.matching("")
	t.show(l, shown)
	for {
		text, err := t.read(ctx, l.prompt(len(shown) < len(l.Items)))
		if err != nil {
			return nil, err
		}
		if text == "" && l.Given > 0 {
			text = strconv.Itoa(l.Given)
		}
		switch chosen, said := l.answer(text, shown); {
		case text == "" || text == "?":
			shown = l.matching("")
			t.show(l, shown)
		case l.Other != "" && strings.EqualFold(text, l.Other):
			return nil, nil
		case len(chosen) > 0:
			return chosen, nil
		case said != "":
			t.Say("%s", said)
		default:
			found := l.matching(text)
			if len(found) == 0 {
				t.Say("Nothing here has %s in it.", diag.Quote(text))
				continue
			}
			shown = found
			t.show(l, shown)
		}
	}
}

// prompt says what can be typed.
func (l *List) prompt(filtered bool) string {
	words := []string{"A number"}
	if l.Many {
		words[0] = "Numbers (1,3 or 2-5)"
		if filtered {
			words = append(words, "all of these")
		} else {
			words = append(words, "all")
		}
	}
	if l.Other != "" {
		words = append(words, l.Other)
	}
	text := strings.Join(words, ", ") + " or a word to look for"
	if l.Given > 0 {
		text += " [" + strconv.Itoa(l.Given) + "]"
	}
	return text + ":"
}

// matching are the items that have a text in their name or note, whatever the case.
func (l *List) matching(text string) (found []int) {
	text = strings.ToLower(text)
	for i, item := range l.Items {
		if strings.Contains(strings.ToLower(item.Name+"\n"+item.Note), text) {
			found = append(found, i)
		}
	}
	return found
}

// answer reads what was typed: what it chooses, or what is wrong with it. With neither it is a word to look for.
func (l *List) answer(text string, shown []int) (chosen []int, said string) {
	for i, item := range l.Items {
		if strings.EqualFold(item.Name, text) {
			return []int{i}, ""
		}
	}
	if l.Many && (strings.EqualFold(text, "all") || strings.EqualFold(text, "all of these")) {
		return shown, ""
	}
	if text == "" || strings.Trim(text, "0123456789,- ") != "" {
		return nil, ""
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		from, to, span := strings.Cut(part, "-")
		if !span {
			to = from
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || first < 1 || last > len(l.Items) || first > last {
			return nil, fmt.Sprintf("%s: there are the numbers 1 to %d.", diag.Quote(part), len(l.Items))
		}
		for n := first; n <= last; n++ {
			chosen = append(chosen, n-1)
		}
	}
	slices.Sort(chosen)
	chosen = slices.Compact(chosen)
	if len(chosen) > 1 && !l.Many {
		return nil, "Choose one."
	}
	return chosen, ""
}

// show prints the items that fit into the window.
func (t *Terminal) show(l List, shown []int) {
	columns, rows := t.size()
	columns, rows = max(columns, 20), max(rows-6, 5)
	digits := len(strconv.Itoa(len(l.Items)))
	longest := 0
	for _, i := range shown[:min(len(shown), rows)] {
		longest = max(longest, utf8.RuneCountInString(diag.Clean(l.Items[i].Name)))
	}
	for at, i := range shown {
		if at == rows && len(shown) > rows+1 {
			t.Say("%s", strings.Repeat(" ", digits+3)+fmt.Sprintf("… %d more: a word shows fewer", len(shown)-rows))
			break
		}
		t.item(l.Items[i], fmt.Sprintf(" %*d  ", digits, i+1), longest, columns)
	}
	if l.Other != "" {
		t.item(Item{l.Other, l.OtherNote}, strings.Repeat(" ", digits+3), longest, columns)
	}
}

// item prints one; its note stands beside the name where the window is wide enough, else below it.
func (t *Terminal) item(item Item, lead string, longest, columns int) {
	name, note := diag.Clean(item.Name), diag.Clean(item.Note)
	room := columns - len(lead)
	if gap := longest - utf8.RuneCountInString(name) + 2; note != "" && longest+2+utf8.RuneCountInString(note) <= room {
		fmt.Fprintln(t.out, lead+name+strings.Repeat(" ", max(gap, 2))+t.dim(note))
		return
	}
	for i, line := range wrap(name, room) {
		if i > 0 {
			lead = strings.Repeat(" ", len(lead))
		}
		fmt.Fprintln(t.out, lead+line)
	}
	if note != "" {
		for _, line := range wrap(note, room-2) {
			fmt.Fprintln(t.out, strings.Repeat(" ", len(lead)+2)+t.dim(line))
		}
	}
}
