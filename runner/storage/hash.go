// Whether a file's bytes are those of an object, by the hash that the server knows of it.
package storage

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// sameBytes reads the file; false also where the server knows no hash.
func sameBytes(path string, o object) bool {
	if o.md5 == nil && o.parts == "" {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	if o.md5 != nil {
		sum := md5.New()
		_, err := io.Copy(sum, file)
		return err == nil && bytes.Equal(sum.Sum(nil), o.md5)
	}
	return inParts(file) == o.parts
}

// inParts is the hash of the hashes of a file's parts, as S3 writes it.
func inParts(file io.Reader) string {
	all, n := md5.New(), 0
	for {
		sum := md5.New()
		size, err := io.Copy(sum, io.LimitReader(file, partSize))
		if err != nil {
			return ""
		}
		if size > 0 {
			all.Write(sum.Sum(nil))
			n++
		}
		if size < partSize {
			return fmt.Sprintf("%s-%d", hex.EncodeToString(all.Sum(nil)), n)
		}
	}
}
