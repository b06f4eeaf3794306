// What a Go application does with gomemcache, over text.
// go run gomemcache_client.go PORT PORT PORT      prints what is wrong; exit 1
package main

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

var failures int

func check(good bool, sentence string) {
	if !good {
		failures++
		fmt.Println("FAILED:", sentence)
	}
}

func newClient(servers ...string) *memcache.Client {
	client := memcache.New(servers...)
	client.Timeout = 10 * time.Second
	return client
}

// The value of a key, or nil.
func value(client *memcache.Client, key string) []byte {
	item, err := client.Get(key)
	if err != nil {
		return nil
	}
	return item.Value
}

func storing(client *memcache.Client) {
	item := &memcache.Item{Key: "key", Value: []byte("a\x00b\r\nEND\r\n\xff"), Flags: 4294967295}
	check(client.Set(item) == nil, "set")
	found, err := client.Get("key")
	check(err == nil && bytes.Equal(found.Value, item.Value) && found.Flags == item.Flags,
		"get returns what was set, flags included")
	_, err = client.Get("absent")
	check(err == memcache.ErrCacheMiss, "a miss")
	for _, size := range []int{0, 1000, 16384, 262144, 1000000} {
		sized := make([]byte, size)
		rand.Read(sized)
		check(client.Set(&memcache.Item{Key: "sized", Value: sized}) == nil, "set of a size")
		check(bytes.Equal(value(client, "sized"), sized), "get of a size")
	}
	huge := &memcache.Item{Key: "huge", Value: make([]byte, 1100000)}
	check(client.Set(huge) != nil, "a value above the limit is refused")

	fresh := &memcache.Item{Key: "fresh", Value: []byte("x")}
	check(client.Replace(fresh) == memcache.ErrNotStored, "replace needs an item")
	check(client.Add(fresh) == nil, "add")
	check(client.Add(fresh) == memcache.ErrNotStored, "add does not overwrite")
	check(client.Replace(fresh) == nil, "replace")
	check(client.Touch("fresh", 100) == nil, "touch")
	check(client.Touch("absent", 100) == memcache.ErrCacheMiss, "touch needs an item")
	check(client.Delete("fresh") == nil, "delete")
	check(client.Delete("fresh") == memcache.ErrCacheMiss, "delete once")
	past := &memcache.Item{Key: "past", Value: []byte("x"), Expiration: 31 * 24 * 3600}
	check(client.Set(past) == nil && value(client, "past") == nil, "a date gone by")
}

func changing(client *memcache.Client) {
	check(client.Set(&memcache.Item{Key: "shared", Value: []byte("one")}) == nil, "set for cas")
	first, _ := client.Get("shared")
	second, _ := client.Get("shared")
	first.Value = []byte("two")
	check(client.CompareAndSwap(first) == nil, "cas with the current number")
	check(client.CompareAndSwap(second) == memcache.ErrCASConflict, "cas with an old number")
	check(string(value(client, "shared")) == "two", "what the good cas stored stays")
	client.Delete("shared")
	check(client.CompareAndSwap(first) == memcache.ErrCacheMiss, "cas of nothing")

	_, err := client.Increment("absent", 1)
	check(err == memcache.ErrCacheMiss, "increment of nothing")
	client.Set(&memcache.Item{Key: "count", Value: []byte("10")})
	number, err := client.Increment("count", 5)
	check(err == nil && number == 15, "increment")
	number, err = client.Decrement("count", 100)
	check(err == nil && number == 0, "decrement, which stops at zero")
	client.Set(&memcache.Item{Key: "word", Value: []byte("word")})
	_, err = client.Increment("word", 1)
	check(err != nil && err != memcache.ErrCacheMiss, "a word does not count")

	var clients sync.WaitGroup
	for i := 0; i < 8; i++ {
		clients.Add(1)
		go func() {
			defer clients.Done()
			for round := 0; round < 500; round++ {
				client.Increment("count", 1)
			}
		}()
	}
	clients.Wait()
	check(string(value(client, "count")) == "4000", "goroutines count exactly")
}

func spreading(servers []string) {
	client := newClient(servers...)
	check(client.FlushAll() == nil, "flush of every server")
	var keys []string
	for i := 0; i < 300; i++ {
		keys = append(keys, "spread"+strconv.Itoa(i))
		check(client.Set(&memcache.Item{Key: keys[i], Value: []byte(keys[i])}) == nil, "set")
	}
	found, err := client.GetMulti(append(keys, "absent"))
	check(err == nil && len(found) == len(keys), "all keys are found again")
	for key, item := range found {
		check(string(item.Value) == key, "each with its value")
	}
	for _, server := range servers {
		share, err := newClient(server).GetMulti(keys)
		check(err == nil && len(share) > 30, "every server has its share")
	}
}

func main() {
	var servers []string
	for _, port := range os.Args[1:] {
		servers = append(servers, "127.0.0.1:"+port)
	}
	client := newClient(servers[0])
	storing(client)
	changing(client)
	spreading(servers)
	if failures != 0 {
		fmt.Println(failures, "failures")
		os.Exit(1)
	}
	fmt.Println("all good")
}
