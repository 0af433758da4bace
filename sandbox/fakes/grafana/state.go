package main

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
)

// state is what Grafana keeps in its database: the administrator, and what was made by hand. Here it is JSON.
type state struct {
	path string
	mu   sync.Mutex

	AdminUser  string                     `json:"adminUser"`
	Salt       []byte                     `json:"salt"`
	Password   []byte                     `json:"password"`
	KeyCheck   []byte                     `json:"keyCheck"`
	Dashboards map[string]json.RawMessage `json:"dashboards"`
}

// openState makes the administrator when there is none yet. A password that is set later changes nothing, as in Grafana.
func openState(s *settings) (*state, error) {
	st := &state{path: filepath.Join(s.data, "grafana.db"), Dashboards: map[string]json.RawMessage{}}
	content, err := os.ReadFile(st.path)
	switch {
	case err == nil:
		if err := json.Unmarshal(content, st); err != nil {
			return nil, err
		}
		if !hmac.Equal(st.KeyCheck, keyCheck(s.secretKey, st.Salt)) {
			return nil, errors.New("GF_SECURITY_SECRET_KEY is not the one that this database was made with: what Grafana stored encrypted could not be read")
		}
		return st, nil
	case os.IsNotExist(err):
		st.Salt = make([]byte, 16)
		rand.Read(st.Salt)
		st.AdminUser, st.KeyCheck = s.adminUser, keyCheck(s.secretKey, st.Salt)
		if st.Password, err = hashed(s.adminPassword, st.Salt); err != nil {
			return nil, err
		}
		return st, st.save()
	default:
		return nil, err
	}
}

func keyCheck(key string, salt []byte) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(salt)
	return mac.Sum(nil)
}

// hashed is how Grafana does it: ten thousand rounds.
func hashed(password string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, password, salt, 10_000, 50)
}

func (st *state) knows(user, password string) bool {
	given, err := hashed(password, st.Salt)
	return err == nil && user == st.AdminUser && subtle.ConstantTimeCompare(given, st.Password) == 1
}

func (st *state) save() error {
	content, err := json.Marshal(st)
	if err != nil {
		return err
	}
	if err := os.WriteFile(st.path+".new", content, 0o640); err != nil {
		return err
	}
	return os.Rename(st.path+".new", st.path)
}

func (st *state) keep(uid string, dashboard json.RawMessage) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.Dashboards[uid] = dashboard
	return st.save()
}
