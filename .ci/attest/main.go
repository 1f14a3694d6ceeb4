// Command attest makes what GitHub would sign of a release: attestations as `gh attestation verify` reads them, and the roots that it may trust instead of GitHub's. The tests of the
// installer need right ones and wrong ones in every way that matters (another file, repository, workflow, tag, kind of runner, authority), and no public service signs wrong ones.
//
// It is a module of its own, beside gh's sources of exactly one version, so that neither is any part of what the project's programs are built from.
//
// usage: attest DIRECTORY <LIST   LIST is a JSON array of attestation; each becomes a file in DIRECTORY, and each authority AUTHORITY.trusted-root.jsonl
package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/digitorus/timestamp"
)

// attestation says who claims to have built what.
type attestation struct {
	// File is the bundle's name, Authority the name of who vouches for the signer's identity.
	File, Authority string
	// Subjects are files' names with their SHA-256 in hexadecimal.
	Subjects map[string]string
	// Repository is OWNER/REPOSITORY, Owner its owner; Workflow the path of the workflow in it, Ref what it ran for, Runner "github-hosted" or "self-hosted".
	Owner, Repository, Workflow, Ref, Runner string
	Predicate                                string
}

// identity is a certificate with its key.
type identity struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// authority is what a trusted root holds, with the keys: who gives certificates to signers, and who says when they signed.
type authority struct{ root, signers, clock identity }

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "attest:", err)
		os.Exit(1)
	}
}

func run(directory string) error {
	var list []attestation
	if err := json.NewDecoder(os.Stdin).Decode(&list); err != nil {
		return err
	}
	authorities := map[string]authority{}
	for _, a := range list {
		by, ok := authorities[a.Authority]
		if !ok {
			var err error
			if by, err = newAuthority(); err != nil {
				return err
			}
			authorities[a.Authority] = by
			if err := write(filepath.Join(directory, a.Authority+".trusted-root.jsonl"), by.trustedRoot()); err != nil {
				return err
			}
		}
		bundle, err := by.sign(a)
		if err != nil {
			return err
		}
		if err := write(filepath.Join(directory, a.File), bundle); err != nil {
			return err
		}
	}
	return nil
}

// write writes JSON on one line; gh skips a root whose line does not end.
func write(file string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

// newAuthority is one that names itself as GitHub's own does, which makes gh apply the rules that it has for that.
func newAuthority() (a authority, err error) {
	ca := func(name string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: []string{"GitHub, Inc."}}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	}
	if a.root, err = issue(ca("Root"), nil); err != nil {
		return a, err
	}
	signers := ca("Signers")
	signers.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	if a.signers, err = issue(signers, &a.root); err != nil {
		return a, err
	}
	purpose, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}) // time stamping, which must be marked critical
	if err != nil {
		return a, err
	}
	a.clock, err = issue(&x509.Certificate{Subject: pkix.Name{CommonName: "Clock", Organization: []string{"GitHub, Inc."}}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: purpose}}}, &a.root)
	return a, err
}

// issue makes a key and signs its certificate; without an issuer it signs itself.
func issue(template *x509.Certificate, by *identity) (identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity{}, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		return identity{}, err
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if by == nil {
		by = &identity{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		return identity{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return identity{cert, key}, err
}

// signer is the certificate that Fulcio gives a job of GitHub Actions: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md lists the numbers.
func (a authority) signer(of attestation) (identity, error) {
	const issuer, github = "https://token.actions.githubusercontent.com", "https://github.com/"
	workflow := github + of.Repository + "/" + of.Workflow + "@" + of.Ref
	san, err := url.Parse(workflow)
	if err != nil {
		return identity{}, err
	}
	template := &x509.Certificate{URIs: []*url.URL{san}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}
	for _, e := range []struct {
		number int
		text   string
	}{{8, issuer}, {9, workflow}, {11, of.Runner}, {12, github + of.Repository}, {14, of.Ref}, {16, github + of.Owner}, {18, workflow}, {20, "push"}} {
		value, err := asn1.MarshalWithParams(e.text, "utf8")
		if err != nil {
			return identity{}, err
		}
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, e.number}, Value: value})
	}
	return issue(template, &a.signers)
}

type object map[string]any

// sign makes the bundle: an in-toto statement in a DSSE envelope, the signer's certificate, and the time of signing.
func (a authority) sign(of attestation) (object, error) {
	const kind = "application/vnd.in-toto+json"
	var subjects []object
	for name, digest := range of.Subjects {
		subjects = append(subjects, object{"name": name, "digest": object{"sha256": digest}})
	}
	payload, err := json.Marshal(object{"_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": of.Predicate, "predicate": object{}})
	if err != nil {
		return nil, err
	}
	signer, err := a.signer(of)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload))
	signature, err := ecdsa.SignASN1(rand.Reader, signer.key, digest[:])
	if err != nil {
		return nil, err
	}
	when, err := a.stamp(signature)
	if err != nil {
		return nil, err
	}
	return object{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
		"verificationMaterial": object{"certificate": raw(signer), "timestampVerificationData": object{"rfc3161Timestamps": []object{{"signedTimestamp": when}}}},
		"dsseEnvelope":         object{"payload": payload, "payloadType": kind, "signatures": []object{{"sig": signature}}}}, nil
}

func (a authority) stamp(signature []byte) ([]byte, error) {
	request, err := timestamp.CreateRequest(bytes.NewReader(signature), &timestamp.RequestOptions{Hash: crypto.SHA256})
	if err != nil {
		return nil, err
	}
	asked, err := timestamp.ParseRequest(request)
	if err != nil {
		return nil, err
	}
	t := timestamp.Timestamp{HashAlgorithm: asked.HashAlgorithm, HashedMessage: asked.HashedMessage, Time: time.Now(), Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 2}}
	return t.CreateResponseWithOpts(a.clock.cert, a.clock.key, crypto.SHA256)
}

func raw(i identity) object { return object{"rawBytes": i.cert.Raw} }

func (a authority) trustedRoot() object {
	valid := object{"start": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}
	entry := func(chain ...object) []object {
		return []object{{"subject": object{"organization": "GitHub, Inc.", "commonName": "test"}, "uri": "https://sigstore.example.com", "certChain": object{"certificates": chain}, "validFor": valid}}
	}
	return object{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
		"certificateAuthorities": entry(raw(a.signers), raw(a.root)), "timestampAuthorities": entry(raw(a.clock), raw(a.root))}
}
