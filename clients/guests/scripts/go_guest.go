// Go: mime/multipart by way of net/http.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func upload(w http.ResponseWriter, r *http.Request) {
	var body any
	files := []any{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	formErr, err := r.ParseForm(), r.ParseMultipartForm(32<<20)
	if formErr != nil || (err != nil && err != http.ErrNotMultipart) {
		http.Error(w, "malformed form", http.StatusBadRequest)
		return
	}
	if r.MultipartForm != nil {
		for name, headers := range r.MultipartForm.File {
			for _, h := range headers {
				file, _ := h.Open()
				data, _ := io.ReadAll(file)
				digest := fmt.Sprintf("%x", sha256.Sum256(data))
				files = append(files, map[string]any{"name": name, "filename": h.Filename, "size": h.Size, "sha256": digest, "content_type": h.Header.Get("Content-Type")})
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"form": r.PostForm, "files": files, "json": body})
}

func main() {
	http.HandleFunc("/", upload)
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
