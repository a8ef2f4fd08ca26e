package main

import (
	"log"
	"os"

	"github.com/smallstep/certificates/authority/config"
	"github.com/smallstep/certificates/ca"
)

func main() {
	c, err := config.LoadConfiguration(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	s, err := ca.New(c)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(s.Run())
}
