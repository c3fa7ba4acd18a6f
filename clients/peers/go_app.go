// Go's net/http with its streaming reader of multipart bodies.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

var store = os.Getenv("PEER_STORE")

type answer struct {
	Form  map[string][]string         `json:"form"`
	Files map[string][]map[string]any `json:"files"`
	Json  any                         `json:"json"`
}

func keep(part *multipart.Part) (map[string]any, error) {
	random := make([]byte, 16)
	rand.Read(random)
	name := hex.EncodeToString(random)
	file, err := os.Create(filepath.Join(store, name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	digest := sha256.New()
	size, err := io.CopyBuffer(io.MultiWriter(file, digest), part, make([]byte, 256<<10))
	sum := hex.EncodeToString(digest.Sum(nil))
	return map[string]any{"filename": part.FileName(), "size": size, "sha256": sum, "href": "/files/" + name}, err
}

func readParts(reader *multipart.Reader, into *answer) error {
	for {
		part, err := reader.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := part.FormName()
		if part.FileName() == "" {
			value, err := io.ReadAll(part)
			if err != nil {
				return err
			}
			into.Form[name] = append(into.Form[name], string(value))
			continue
		}
		told, err := keep(part)
		if err != nil {
			return err
		}
		into.Files[name] = append(into.Files[name], told)
	}
}

func read(r *http.Request, into *answer) error {
	contentType := r.Header.Get("Content-Type")
	if strings.HasPrefix(contentType, "application/json") {
		return json.NewDecoder(r.Body).Decode(&into.Json)
	}
	if strings.HasPrefix(contentType, "multipart/form-data") {
		reader, err := r.MultipartReader()
		if err != nil {
			return err
		}
		return readParts(reader, into)
	}
	err := r.ParseForm()
	into.Form = r.PostForm
	return err
}

func upload(w http.ResponseWriter, r *http.Request) {
	result := answer{Form: map[string][]string{}, Files: map[string][]map[string]any{}}
	if err := read(r, &result); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(result)
}

func main() {
	http.HandleFunc("/upload/", upload)
	http.Handle("/files/", http.StripPrefix("/files/", http.FileServer(http.Dir(store))))
	if err := http.ListenAndServe("127.0.0.1:"+os.Args[1], nil); err != nil {
		panic(err)
	}
}
