// etcd_load: what `concord bench` does, against etcd over gRPC: each client one call after the other on a connection of its own.
//
// usage: etcd_load --endpoint 127.0.0.1:2379[,...] --connections N --duration S --reads N --writes N --value-size B --keys N [--serializable]
//
// With several endpoints the clients are spread over them, each pinned to one.
//
// Prints one line of JSON: requests and errors of the measured time, their rate, and percentiles of their latency.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

type plan struct {
	endpoints    []string
	connections  int
	duration     time.Duration
	warmup       time.Duration
	reads        int
	writes       int
	valueSize    int
	keys         int
	serializable bool
}

type tally struct {
	latencies []time.Duration
	errors    int
}

func keyOf(number int) string { return fmt.Sprintf("bench-%08d", number) }

func valueOf(size int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	value := make([]byte, size)
	for at := range value {
		value[at] = letters[rand.Intn(len(letters))]
	}
	return string(value)
}

func (p plan) connect(number int) (*clientv3.Client, error) {
	endpoint := p.endpoints[number%len(p.endpoints)]
	return clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: 5 * time.Second})
}

// fill stores every key once, so that no read misses; 100 a transaction (etcd takes 128).
func (p plan) fill(client *clientv3.Client) error {
	value := valueOf(p.valueSize)
	for first := 0; first < p.keys; first += 100 {
		operations := []clientv3.Op{}
		for number := first; number < min(first+100, p.keys); number++ {
			operations = append(operations, clientv3.OpPut(keyOf(number), value))
		}
		if _, err := client.Txn(context.Background()).Then(operations...).Commit(); err != nil {
			return err
		}
	}
	return nil
}

func (p plan) request(client *clientv3.Client, value string, random *rand.Rand) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	key := keyOf(random.Intn(p.keys))
	if random.Intn(p.reads+p.writes) >= p.reads {
		_, err := client.Put(ctx, key, value)
		return err
	}
	options := []clientv3.OpOption{}
	if p.serializable {
		options = append(options, clientv3.WithSerializable())
	}
	answer, err := client.Get(ctx, key, options...)
	if err == nil && len(answer.Kvs) != 1 {
		return fmt.Errorf("%s is missing", key)
	}
	return err
}

func (p plan) work(client *clientv3.Client, seed int64, from time.Time, until time.Time) tally {
	random := rand.New(rand.NewSource(seed))
	value := valueOf(p.valueSize)
	counted := tally{}
	for {
		start := time.Now()
		if start.After(until) {
			return counted
		}
		err := p.request(client, value, random)
		switch {
		case start.Before(from):
		case err != nil:
			counted.errors++
		default:
			counted.latencies = append(counted.latencies, time.Since(start))
		}
	}
}

func (p plan) run() (tally, error) {
	clients := make([]*clientv3.Client, p.connections)
	for at := range clients {
		client, err := p.connect(at)
		if err != nil {
			return tally{}, err
		}
		defer client.Close()
		clients[at] = client
	}
	if err := p.fill(clients[0]); err != nil {
		return tally{}, err
	}
	from := time.Now().Add(p.warmup)
	until := from.Add(p.duration)
	tallies := make([]tally, len(clients))
	var group sync.WaitGroup
	for at, client := range clients {
		group.Go(func() { tallies[at] = p.work(client, int64(at), from, until) })
	}
	group.Wait()
	whole := tally{}
	for _, one := range tallies {
		whole.latencies = append(whole.latencies, one.latencies...)
		whole.errors += one.errors
	}
	slices.Sort(whole.latencies)
	return whole, nil
}

func (t tally) percentile(percent float64) int64 {
	if len(t.latencies) == 0 {
		return 0
	}
	return t.latencies[min(int(float64(len(t.latencies))*percent/100), len(t.latencies)-1)].Nanoseconds()
}

func main() {
	p := plan{}
	endpoints := flag.String("endpoint", "127.0.0.1:2379", "host:port, several by commas")
	flag.IntVar(&p.connections, "connections", 64, "clients, each with a connection of its own")
	seconds := flag.Float64("duration", 10, "seconds")
	warmup := flag.Float64("warmup", 1, "seconds before anything counts")
	flag.IntVar(&p.reads, "reads", 1, "parts of reads")
	flag.IntVar(&p.writes, "writes", 0, "parts of writes")
	flag.IntVar(&p.valueSize, "value-size", 100, "bytes")
	flag.IntVar(&p.keys, "keys", 10000, "different keys")
	flag.BoolVar(&p.serializable, "serializable", false, "reads that any member answers alone")
	flag.Parse()
	p.endpoints = strings.Split(*endpoints, ",")
	p.duration = time.Duration(*seconds * float64(time.Second))
	p.warmup = time.Duration(*warmup * float64(time.Second))
	if p.connections < 1 || p.keys < 1 || p.reads < 0 || p.writes < 0 || p.reads+p.writes < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	counted, err := p.run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "etcd_load:", err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"requests":   len(counted.latencies),
		"errors":     counted.errors,
		"per_second": float64(len(counted.latencies)) / p.duration.Seconds(),
		"p50_ns":     counted.percentile(50),
		"p99_ns":     counted.percentile(99),
	})
}
