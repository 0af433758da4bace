package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

const cookieName = "n8n-auth"

type claims struct {
	ID string `json:"id"`
	// Hash changes with the e-mail and the password, so that a new password ends old sessions.
	Hash    string `json:"hash"`
	Expires int64  `json:"exp"`
}

var encoding = base64.RawURLEncoding

func (owner Owner) fingerprint() string {
	sum := sha256.Sum256([]byte(owner.Email + ":" + owner.Hash))
	return encoding.EncodeToString(sum[:])[:10]
}

func (app *App) issueCookie(response http.ResponseWriter, user Owner) {
	lifetime := time.Duration(app.settings.sessionHours) * time.Hour
	body, _ := json.Marshal(claims{ID: user.ID, Hash: user.fingerprint(), Expires: time.Now().Add(lifetime).Unix()})
	token := encoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encoding.EncodeToString(body)
	sameSite := map[string]http.SameSite{"strict": http.SameSiteStrictMode, "none": http.SameSiteNoneMode}[app.settings.sameSite]
	if sameSite == 0 {
		sameSite = http.SameSiteLaxMode
	}
	http.SetCookie(response, &http.Cookie{
		Name: cookieName, Value: token + "." + app.sign(token), Path: "/", MaxAge: int(lifetime.Seconds()),
		HttpOnly: true, Secure: app.settings.secureCookie, SameSite: sameSite,
	})
}

// currentUser is the user whose cookie the request carries; false when it carries none that holds.
func (app *App) currentUser(request *http.Request) (Owner, bool) {
	cookie, err := request.Cookie(cookieName)
	if err != nil {
		return Owner{}, false
	}
	at := strings.LastIndex(cookie.Value, ".")
	if at < 0 || !hmac.Equal([]byte(app.sign(cookie.Value[:at])), []byte(cookie.Value[at+1:])) {
		return Owner{}, false
	}
	_, payload, _ := strings.Cut(cookie.Value[:at], ".")
	body, err := encoding.DecodeString(payload)
	var held claims
	if err != nil || json.Unmarshal(body, &held) != nil || held.Expires < time.Now().Unix() {
		return Owner{}, false
	}
	user, found, err := findUser(request.Context(), app.pool, "", held.ID)
	return user, err == nil && found && user.fingerprint() == held.Hash
}

func (app *App) sign(text string) string {
	mac := hmac.New(sha256.New, app.secret)
	mac.Write([]byte(text))
	return encoding.EncodeToString(mac.Sum(nil))
}
