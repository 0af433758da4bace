package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/ssh"
)

// PrivateKey is tls.PrivateKey: created once, and replaced when an argument changes.
type PrivateKey struct{}

// PrivateKeyArgs are the inputs, as @pulumi/tls documents them.
type PrivateKeyArgs struct {
	Algorithm  string  `pulumi:"algorithm"`
	EcdsaCurve *string `pulumi:"ecdsaCurve,optional"`
	RsaBits    *int    `pulumi:"rsaBits,optional"`
}

// PrivateKeyState are the outputs, as @pulumi/tls documents them.
type PrivateKeyState struct {
	Algorithm         string `pulumi:"algorithm"`
	EcdsaCurve        string `pulumi:"ecdsaCurve"`
	RsaBits           int    `pulumi:"rsaBits"`
	PrivateKeyPem     string `pulumi:"privateKeyPem" provider:"secret"`
	PrivateKeyPkcs8   string `pulumi:"privateKeyPemPkcs8" provider:"secret"`
	PrivateKeyOpenssh string `pulumi:"privateKeyOpenssh" provider:"secret"`
	PublicKeyPem      string `pulumi:"publicKeyPem"`
	PublicKeyOpenssh  string `pulumi:"publicKeyOpenssh"`
	FingerprintMd5    string `pulumi:"publicKeyFingerprintMd5"`
	FingerprintSha256 string `pulumi:"publicKeyFingerprintSha256"`
}

// Annotate gives the resource the npm package's token.
func (*PrivateKey) Annotate(a infer.Annotator) { a.SetToken("index/privateKey", "PrivateKey") }

// Create makes the key; the id is the SHA-1 of the public one.
func (*PrivateKey) Create(_ context.Context, request infer.CreateRequest[PrivateKeyArgs]) (infer.CreateResponse[PrivateKeyState], error) {
	state := PrivateKeyState{Algorithm: request.Inputs.Algorithm, EcdsaCurve: "P224", RsaBits: 2048}
	if curve := request.Inputs.EcdsaCurve; curve != nil {
		state.EcdsaCurve = *curve
	}
	if bits := request.Inputs.RsaBits; bits != nil {
		state.RsaBits = *bits
	}
	if request.DryRun {
		return infer.CreateResponse[PrivateKeyState]{Output: state}, nil
	}
	key, err := state.generate()
	if err == nil {
		err = state.describe(key)
	}
	if err != nil {
		return infer.CreateResponse[PrivateKeyState]{}, err
	}
	id := sha1.Sum([]byte(state.PublicKeyPem))
	return infer.CreateResponse[PrivateKeyState]{ID: hex.EncodeToString(id[:]), Output: state}, nil
}

var curves = map[string]elliptic.Curve{
	"P224": elliptic.P224(), "P256": elliptic.P256(), "P384": elliptic.P384(), "P521": elliptic.P521(),
}

func (s PrivateKeyState) generate() (crypto.Signer, error) {
	switch s.Algorithm {
	case "ED25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "RSA":
		return rsa.GenerateKey(rand.Reader, s.RsaBits)
	case "ECDSA":
		if curve := curves[s.EcdsaCurve]; curve != nil {
			return ecdsa.GenerateKey(curve, rand.Reader)
		}
		return nil, fmt.Errorf("ecdsaCurve %q: allowed are P224, P256, P384 and P521", s.EcdsaCurve)
	}
	return nil, fmt.Errorf("algorithm %q: allowed are ED25519, RSA and ECDSA", s.Algorithm)
}

// describe fills in every form of the key that the npm package promises.
func (s *PrivateKeyState) describe(key crypto.Signer) error {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	s.PrivateKeyPkcs8 = armor("PRIVATE KEY", pkcs8)
	if s.PrivateKeyPem, err = traditional(key, s.PrivateKeyPkcs8); err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	s.PublicKeyPem = armor("PUBLIC KEY", public)
	return s.describeSSH(key)
}

func (s *PrivateKeyState) describeSSH(key crypto.Signer) error {
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil // SSH knows no P224: the OpenSSH forms stay empty, as documented
	}
	private, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return err
	}
	s.PrivateKeyOpenssh = string(pem.EncodeToMemory(private))
	s.PublicKeyOpenssh = string(ssh.MarshalAuthorizedKey(public))
	s.FingerprintMd5 = ssh.FingerprintLegacyMD5(public)
	s.FingerprintSha256 = ssh.FingerprintSHA256(public)
	return nil
}

// traditional is the key's own PEM form where it has one older than PKCS#8.
func traditional(key crypto.Signer, pkcs8 string) (string, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return armor("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(k)), nil
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(k)
		return armor("EC PRIVATE KEY", der), err
	}
	return pkcs8, nil
}

func armor(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
