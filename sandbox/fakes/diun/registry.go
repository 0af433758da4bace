package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

var manifestTypes = strings.Join([]string{
	"application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
}, ", ")

// registry asks the registry of one repository, `host/path`.
type registry struct {
	base   string
	client http.Client
}

func (c *Config) registry(repository string) *registry {
	host, path, _ := strings.Cut(repository, "/")
	r := &registry{}
	for _, each := range c.RegOpts {
		if strings.HasPrefix(repository+"/", each.Name+"/") {
			r.client.Timeout = each.Timeout
		}
	}
	if host == "docker.io" {
		host = "registry-1.docker.io"
	}
	r.base = fmt.Sprintf("https://%s/v2/%s", host, path)
	return r
}

func (r *registry) ask(method, url string) (*http.Response, error) {
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", manifestTypes)
	answer, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, fmt.Errorf("%s %s: unexpected http status code: %s", method, url, answer.Status)
	}
	return answer, nil
}

// tags lists a repository's tags, page by page.
func (r *registry) tags() ([]string, error) {
	var found []string
	for next := r.base + "/tags/list?n=1000"; next != ""; {
		answer, err := r.ask(http.MethodGet, next)
		if err != nil {
			return nil, err
		}
		var page struct {
			Tags []string `json:"tags"`
		}
		err = json.NewDecoder(answer.Body).Decode(&page)
		answer.Body.Close()
		if err != nil {
			return nil, err
		}
		found = append(found, page.Tags...)
		next = ""
		if link, _, more := strings.Cut(answer.Header.Get("Link"), ">"); more {
			url, err := answer.Request.URL.Parse(strings.TrimPrefix(link, "<"))
			if err != nil {
				return nil, err
			}
			next = url.String()
		}
	}
	return found, nil
}

// manifest is what is kept of one tag.
type manifest struct {
	Digest   string    `json:"digest"`
	MIMEType string    `json:"mime_type"`
	Created  time.Time `json:"created"`
}

func (r *registry) manifest(tag string) (manifest, error) {
	answer, err := r.ask(http.MethodHead, r.base+"/manifests/"+tag)
	if err != nil {
		return manifest{}, err
	}
	answer.Body.Close()
	return manifest{answer.Header.Get("Docker-Content-Digest"), answer.Header.Get("Content-Type"), time.Now().UTC()}, nil
}

// watched is what of a repository's tags DIUN looks at besides the one that is named.
func (i *Image) watched(tags []string) []string {
	tags = slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return !i.wants(tag) })
	switch i.SortTags {
	case "semver":
		sort.SliceStable(tags, func(a, b int) bool { return newer(tags[a], tags[b]) })
	case "lexicographical":
		sort.Strings(tags)
	case "", "reverse":
		slices.Reverse(tags)
	}
	if i.MaxTags > 0 && len(tags) > i.MaxTags {
		tags = tags[:i.MaxTags]
	}
	return tags
}

// newer compares the numbers before the first sign that is neither a digit nor a dot.
func newer(a, b string) bool {
	one, two := numbers(a), numbers(b)
	for i := 0; i < len(one) && i < len(two); i++ {
		if one[i] != two[i] {
			return one[i] > two[i]
		}
	}
	return len(one) > len(two)
}

func numbers(tag string) []int {
	tag = strings.TrimLeftFunc(tag, func(r rune) bool { return r < '0' || r > '9' })
	if end := strings.IndexFunc(tag, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }); end >= 0 {
		tag = tag[:end]
	}
	var found []int
	for _, part := range strings.Split(tag, ".") {
		number, _ := strconv.Atoi(part)
		found = append(found, number)
	}
	return found
}
