package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// idSequence deals the ids 0 to n-1 in a random but repeatable order: each once, then all again in a new order. So
// every pod is asked for the same mix of orders.
type idSequence struct {
	random *rand.Rand
	ids    []int
	next   int
}

func newIDSequence(n int, seed, pod uint64) *idSequence {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = i
	}
	return &idSequence{random: rand.New(rand.NewPCG(seed, pod)), ids: ids}
}

func (s *idSequence) take() int {
	if s.next == 0 {
		s.random.Shuffle(len(s.ids), func(i, j int) { s.ids[i], s.ids[j] = s.ids[j], s.ids[i] })
	}
	id := s.ids[s.next]
	s.next = (s.next + 1) % len(s.ids)
	return id
}

// newTargeter goes round all pods of all groups, so each gets the same rate. It is safe for concurrent use.
func newTargeter(o options) vegeta.Targeter {
	var pods []string
	for _, g := range o.groups {
		pods = append(pods, g.pods...)
	}
	sequences := make([]*idSequence, len(pods))
	for i := range pods {
		sequences[i] = newIDSequence(o.pathIDs, o.seed, uint64(i))
	}
	var mutex sync.Mutex
	turn := 0
	return func(target *vegeta.Target) error {
		mutex.Lock()
		defer mutex.Unlock()
		target.Method = http.MethodGet
		target.URL = fmt.Sprintf("http://%s/orders/%d", pods[turn], sequences[turn].take())
		turn = (turn + 1) % len(pods)
		return nil
	}
}
