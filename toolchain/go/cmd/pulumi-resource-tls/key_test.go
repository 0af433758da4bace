package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/ssh"
)

func create(args PrivateKeyArgs, dryRun bool) (infer.CreateResponse[PrivateKeyState], error) {
	return new(PrivateKey).Create(context.Background(), infer.CreateRequest[PrivateKeyArgs]{Inputs: args, DryRun: dryRun})
}

func TestEveryFormIsTheSameKey(t *testing.T) {
	p256, bits := "P256", 2048
	for _, args := range []PrivateKeyArgs{{Algorithm: "ED25519"}, {Algorithm: "ECDSA", EcdsaCurve: &p256}, {Algorithm: "RSA", RsaBits: &bits}} {
		made, err := create(args, false)
		if err != nil {
			t.Fatalf("%s: %v", args.Algorithm, err)
		}
		for _, text := range []string{made.Output.PrivateKeyPem, made.Output.PrivateKeyPkcs8, made.Output.PrivateKeyOpenssh} {
			signer, err := ssh.ParsePrivateKey([]byte(text))
			if err != nil {
				t.Fatalf("%s: %v", args.Algorithm, err)
			}
			if got := string(ssh.MarshalAuthorizedKey(signer.PublicKey())); got != made.Output.PublicKeyOpenssh {
				t.Errorf("%s: %q is not %q", args.Algorithm, got, made.Output.PublicKeyOpenssh)
			}
			if got := ssh.FingerprintSHA256(signer.PublicKey()); got != made.Output.FingerprintSha256 {
				t.Errorf("%s: fingerprint %q is not %q", args.Algorithm, got, made.Output.FingerprintSha256)
			}
		}
		block, _ := pem.Decode([]byte(made.Output.PublicKeyPem))
		if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
			t.Errorf("%s: %v", args.Algorithm, err)
		}
	}
}

func TestPreviewMakesNoKey(t *testing.T) {
	made, err := create(PrivateKeyArgs{Algorithm: "ED25519"}, true)
	if err != nil || made.Output.PrivateKeyPem != "" || made.ID != "" {
		t.Fatalf("made %+v, %v", made, err)
	}
}

func TestWrongArgumentsNameWhatIsAllowed(t *testing.T) {
	p1 := "P1"
	for want, args := range map[string]PrivateKeyArgs{
		`algorithm "DSA": allowed are`: {Algorithm: "DSA"},
		`ecdsaCurve "P1": allowed are`: {Algorithm: "ECDSA", EcdsaCurve: &p1},
	} {
		if _, err := create(args, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}
