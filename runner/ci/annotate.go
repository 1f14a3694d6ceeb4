// Annotations within GitHub's bounds. Of a step's annotations ten errors, ten warnings and ten notices are shown, and the rest silently are not (50 a job are kept; three
// levels of ten stay below). So what is shown is chosen here: what weighs most comes first, what concerns one line is one annotation, and the last one of a
// level counts what has no room:
//
//	::notice file=prefect.yaml,line=12,title=2 changes::greet/hourly: schedules[0].cron: "0 0 * * *" → "0 6 * * *"%0Agreet/daily: tags: ["a"] → []
//	::notice title=not all is shown::7 more: GitHub shows 10 annotations of a kind; the job's summary has all of them
package ci

import (
	"fmt"
	"sort"
	"strings"

	"github.com/org/prefect-deploy-action/compiler/diag"
)

// Level is an annotation's kind, in the words of GitHub's commands.
type Level string

// The levels, the most important first.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelNotice  Level = "notice"
)

// Annotation is something to say of a place.
type Annotation struct {
	Level Level
	Place
	// Title and Text may hold anything: they are cleaned here, and Text may be of several lines.
	Title, Text string
	// Weight orders those of one level: 0 comes first.
	Weight int
}

const (
	mostShown = 10 // of each level, a step
	// kept of these stay free, so that the run's own last word (an error without a place) is never the one too many.
	kept = 1
	// mostJoined is how many texts one annotation holds, longestText how many bytes each may have: GitHub's own bound is 64 KB together.
	mostJoined  = 12
	longestText = 2000
)

// Annotate shows what has room, counting what was shown before. rest says where the whole is to be found ("the job's summary has them all").
func (j *Job) Annotate(list []Annotation, rest string) {
	for _, level := range []Level{LevelError, LevelWarning, LevelNotice} {
		lines := byLine(list, level)
		room := max(mostShown-kept-j.said[level], 0)
		shown := len(lines)
		if shown > room {
			shown = max(room-1, 0)
		}
		for _, l := range lines[:shown] {
			j.say(level, l.place, l.title(), l.text())
		}
		if left := lines[shown:]; len(left) > 0 {
			j.say(level, Place{}, "not all is shown", leftOver(left, rest))
		}
	}
}

// line is all that is said of one line on one level.
type line struct {
	place  Place
	weight int
	said   []Annotation
}

// byLine joins what concerns the same line, in order of the weightiest of it; without a place each stands alone.
func byLine(list []Annotation, level Level) []line {
	var out []line
	at := map[Place]int{}
	for _, a := range list {
		if a.Level != level {
			continue
		}
		i, ok := at[a.Place]
		if !ok || a.File == "" {
			i = len(out)
			at[a.Place] = i
			out = append(out, line{place: a.Place, weight: a.Weight})
		}
		out[i].weight = min(out[i].weight, a.Weight)
		out[i].said = append(out[i].said, a)
	}
	sort.SliceStable(out, func(i, j int) bool {
		a, b := &out[i], &out[j]
		switch {
		case a.weight != b.weight:
			return a.weight < b.weight
		case a.place.File != b.place.File:
			return a.place.File < b.place.File
		}
		return a.place.Line < b.place.Line
	})
	for i := range out {
		said := out[i].said
		sort.SliceStable(said, func(i, j int) bool { return said[i].Weight < said[j].Weight })
	}
	return out
}

// title is the one that all share, else the first's and how many more there are.
func (l *line) title() string {
	title := diag.Clean(l.said[0].Title)
	for _, a := range l.said {
		if a.Title != l.said[0].Title {
			return fmt.Sprintf("%s and %d more", title, len(l.said)-1)
		}
	}
	return title
}

func (l *line) text() string {
	var parts []string
	for i, a := range l.said {
		if i == mostJoined {
			parts = append(parts, fmt.Sprintf("and %d more on this line", len(l.said)-i))
			break
		}
		text := diag.CleanLines(a.Text)
		if len(text) > longestText {
			text = strings.ToValidUTF8(text[:longestText], "") + "…"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "\n")
}

func leftOver(left []line, rest string) string {
	n := 0
	for i := range left {
		n += len(left[i].said)
	}
	text := fmt.Sprintf("%d more", n)
	if n == 1 {
		text = "One more"
	}
	return text + ": GitHub shows 10 annotations of a kind; " + rest
}
