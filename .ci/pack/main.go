// Command pack puts programs into an archive whose bytes depend on nothing but theirs: no clock, no owner, no order of a directory, and none of what the tars and gzips of different systems
// write differently. So whoever builds the same commit with the same Go gets the archive that a release holds, and can compare.
//
// usage: pack ARCHIVE.tar.gz FILE…     files keep their base names; the archive's line for a file of checksums goes to stdout
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: pack ARCHIVE.tar.gz FILE…")
		os.Exit(64)
	}
	if err := pack(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func pack(archive string, files []string) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(z)
	sort.Slice(files, func(i, j int) bool { return filepath.Base(files[i]) < filepath.Base(files[j]) })
	for _, f := range files {
		if err := add(w, f); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.WriteFile(archive, b.Bytes(), 0o644); err != nil {
		return err
	}
	fmt.Printf("%x  %s\n", sha256.Sum256(b.Bytes()), filepath.Base(archive))
	return nil
}

// add writes a file as everybody may have it: what can be run, for all, and as old as the calendar of tar allows every reader to show.
func add(w *tar.Writer, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	mode := int64(0o755)
	if filepath.Base(file) == "LICENSE" {
		mode = 0o644
	}
	header := tar.Header{Name: filepath.Base(file), Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(data)), ModTime: time.Unix(315532800, 0), Format: tar.FormatUSTAR}
	if err := w.WriteHeader(&header); err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}
