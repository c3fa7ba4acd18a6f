// A handler of net/http that tells what it read.
package main

import (
	"encoding/json"
	"net/http"
	"os"
)

func upload(w http.ResponseWriter, r *http.Request) {
	formErr, err := r.ParseForm(), r.ParseMultipartForm(32<<20)
	if formErr != nil || (err != nil && err != http.ErrNotMultipart) {
		http.Error(w, "malformed form", http.StatusBadRequest)
		return
	}
	files := []any{}
	if r.MultipartForm != nil {
		for name, headers := range r.MultipartForm.File {
			for _, h := range headers {
				files = append(files, map[string]any{"name": name, "filename": h.Filename, "size": h.Size})
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"form": r.PostForm, "files": files, "args": r.URL.Query()})
}

func main() {
	http.HandleFunc("/upload", upload)
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
