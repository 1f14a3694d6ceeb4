// A server that takes a connection and then says nothing must not hold a deploy for ever: the clouds' libraries for Python give up on a connection on which nothing has moved for a minute, and Go's wait without end. A connection that is slow
// and moves is none of this: each byte that comes or goes begins the minute anew.
package storage

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"time"
)

// patience is how long nothing may move where a call does not say.
const patience = time.Minute

// transport gives up on connections on which nothing moves: that of a bucket, and of who gives the tokens for it.
func (c Call) transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	patient(t, c.patience())
	return t
}

func (c Call) patience() time.Duration { return cmp.Or(c.Patience, patience) }

// patient has a transport give up on connections on which nothing moves.
func patient(t *http.Transport, limit time.Duration) {
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &moving{c, limit}, nil
	}
}

// moving is a connection with such a limit. What is sent counts for what is waited for, too: an answer comes after the whole of a request.
type moving struct {
	net.Conn
	limit time.Duration
}

func (c *moving) Read(p []byte) (int, error) {
	_ = c.SetDeadline(time.Now().Add(c.limit))
	return c.Conn.Read(p)
}

func (c *moving) Write(p []byte) (int, error) {
	_ = c.SetDeadline(time.Now().Add(c.limit))
	return c.Conn.Write(p)
}
