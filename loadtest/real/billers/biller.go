// A biller on Go's net/http.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
)

var form = regexp.MustCompile(`"biller_user_key":"(\w+)\.(\w+)\.(\w+)`)
var payID = regexp.MustCompile(`"pay_id":(\d+)`)

func answer(writer http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	found := form.FindSubmatch(body)
	if found == nil {
		writer.WriteHeader(400)
		return
	}
	if id := payID.FindSubmatch(body); id != nil {
		heard, err := os.OpenFile("@HEARD@", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(heard, "%s\n", id[1])
		heard.Close()
	}
	text := string(found[1])
	content, err := os.ReadFile("@ANSWERS@/" + text)
	if err != nil {
		panic(err)
	}
	writer.Header().Set("Content-Type", "application/json;charset=utf-8")
	if string(found[2]) == "length" {
		writer.Header().Set("Content-Length", fmt.Sprint(len(content)))
	}
	if string(found[3]) == "close" {
		writer.Header().Set("Connection", "close")
	}
	if text == "page" {
		writer.Header().Set("Content-Type", "text/html")
		writer.WriteHeader(500)
	}
	half := len(content) / 2
	writer.Write(content[:half])
	if string(found[2]) == "open" {
		writer.(http.Flusher).Flush()
	}
	writer.Write(content[half:])
}

func main() {
	http.HandleFunc("/", answer)
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
