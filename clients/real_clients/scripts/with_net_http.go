// Go's net/http and mime/multipart: URL KIND.
package main

import (
	"bytes"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func writeForm(form *multipart.Writer) {
	check(form.WriteField("note", os.Getenv("NOTE")))
	for _, file := range [][2]string{{"plain", "PLAIN"}, {"odd", "ODD"}} {
		path := os.Getenv(file[1])
		part, err := form.CreateFormFile(file[0], filepath.Base(path))
		check(err)
		data, err := os.ReadFile(path)
		check(err)
		_, err = part.Write(data)
		check(err)
	}
	check(form.Close())
}

func main() {
	url, kind := os.Args[1], os.Args[2]
	var body io.Reader
	var form *multipart.Writer
	if kind == "chunked" {
		// A pipe has no length: it is sent in chunks.
		reader, writer := io.Pipe()
		form = multipart.NewWriter(writer)
		go func() {
			writeForm(form)
			check(writer.Close())
		}()
		body = reader
	} else {
		buffer := &bytes.Buffer{}
		form = multipart.NewWriter(buffer)
		writeForm(form)
		body = buffer
	}
	request, err := http.NewRequest("POST", url, body)
	check(err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	if kind == "expect" {
		request.Header.Set("Expect", "100-continue")
	}
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: 5 * time.Second}}
	response, err := client.Do(request)
	check(err)
	answer, err := io.ReadAll(response.Body)
	check(err)
	if response.StatusCode != 200 {
		log.Fatal(response.Status, string(answer))
	}
}
