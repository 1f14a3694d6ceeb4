// A server that takes a connection and then says nothing must not hold a deploy for ever: the clouds' libraries for Python give up on a connection on which nothing has moved for a minute, and Go's wait without end. A connection that is slow
// and moves is none of this: each byte that comes or goes begins the minute anew.
package storage

import (
	"context"
	"net"
	"net/http"
	"time"
)

// patience is how long nothing may move.
const patience = time.Minute

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
