package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const keyHelp = "https://docs.n8n.io/hosting/environment-variables/configuration-methods/#encryption-key"

// loadKey keeps the encryption key where n8n keeps it and refuses another one with n8n's message.
func loadKey(folder, fromEnvironment string) (string, error) {
	file := filepath.Join(folder, "config")
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(folder, file, fromEnvironment)
	}
	if err != nil {
		return "", err
	}
	var kept struct {
		EncryptionKey string `json:"encryptionKey"`
	}
	if err := json.Unmarshal(content, &kept); err != nil {
		return "", fmt.Errorf("Error parsing n8n-config file %q. It does not seem to be valid JSON.", file)
	}
	if fromEnvironment != "" && fromEnvironment != kept.EncryptionKey {
		return "", fmt.Errorf("Mismatching encryption keys. The encryption key in the settings file %s does not match the "+
			"N8N_ENCRYPTION_KEY env var. Please make sure both keys match. More information: %s", file, keyHelp)
	}
	return kept.EncryptionKey, nil
}

func makeKey(folder, file, key string) (string, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	if key == "" {
		random := make([]byte, 24)
		rand.Read(random)
		key = base64.StdEncoding.EncodeToString(random)
		say("No encryption key found - Auto-generating and saving to: %s", file)
	}
	content, err := json.MarshalIndent(map[string]string{"encryptionKey": key}, "", "\t")
	if err != nil {
		return "", err
	}
	return key, os.WriteFile(file, content, 0o600)
}

// instanceID names an instance by the second half of its key, as n8n does.
func instanceID(key string) string {
	sum := sha256.Sum256([]byte(key[(len(key)+1)/2:]))
	return hex.EncodeToString(sum[:])
}

// cookieSecret comes from every other letter of the key unless the environment names one.
func cookieSecret(key, fromEnvironment string) []byte {
	if fromEnvironment != "" {
		return []byte(fromEnvironment)
	}
	var half []byte
	for i := 0; i < len(key); i += 2 {
		half = append(half, key[i])
	}
	sum := sha256.Sum256(half)
	return []byte(hex.EncodeToString(sum[:]))
}
