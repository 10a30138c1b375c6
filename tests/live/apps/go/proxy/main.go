// SPDX-License-Identifier: Apache-2.0

// A reverse proxy of Go's standard library, goroutines over all threads: proxy PORT BACK.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	back, err := url.Parse("http://127.0.0.1:" + os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(back)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 64}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], proxy))
}
