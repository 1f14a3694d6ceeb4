// Reading a comment back: what a merged pull request's plan showed decides, with plan-policy: require, what a deploy may write.
package forge

import "context"

// Read is the text of the comment as it stands, "" without one. Of several (a race that is not settled yet) it is the oldest, which is the one that stays.
func Read(ctx context.Context, c *Client, t Target) (text string, m Marker, err error) {
	err = c.call(ctx, t.need(), func(ctx context.Context) error {
		text, m = "", Marker{}
		mine, err := c.find(ctx, t)
		if err == nil && len(mine) > 0 {
			text, m = mine[0].text, mine[0].marker
		}
		return err
	})
	return text, m, err
}
