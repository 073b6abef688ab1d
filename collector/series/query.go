package series

import (
	"errors"
	"sync"

	"github.com/prometheus/prometheus/storage"
)

// errClosed answers queries after Close.
var errClosed = errors.New("the series store is closed")

// Querier implements storage.Queryable over the samples from mint to maxt
// (Unix ms, both inclusive). The store is not closed before the querier is.
func (s *Store) Querier(mint, maxt int64) (storage.Querier, error) {
	s.mu.RLock()
	if s.db == nil {
		s.mu.RUnlock()
		return nil, errClosed
	}
	q, err := s.db.Querier(mint, maxt)
	if err != nil {
		s.mu.RUnlock()
		return nil, err
	}
	return &querier{Querier: q, release: sync.OnceFunc(s.mu.RUnlock)}, nil
}

type querier struct {
	storage.Querier
	release func()
}

func (q *querier) Close() error {
	defer q.release()
	return q.Querier.Close()
}

// Merge answers from all of sources. Where two have the same sample of the
// same series it is given once.
func Merge(sources ...storage.Queryable) storage.Queryable {
	return storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		queriers := make([]storage.Querier, 0, len(sources))
		for _, s := range sources {
			q, err := s.Querier(mint, maxt)
			if err != nil {
				for _, open := range queriers {
					err = errors.Join(err, open.Close())
				}
				return nil, err
			}
			queriers = append(queriers, q)
		}
		return storage.NewMergeQuerier(queriers, nil, storage.ChainedSeriesMerge), nil
	})
}
