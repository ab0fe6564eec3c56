// Verify checks a published Strongroom ledger (SPEC.md section 5.6) with code that is not Strongroom's: the note and tlog
// packages of the Go project, its Ed25519 and its ML-DSA-44.
//
//	verify -vkey KEY [-vkey KEY ...] [-old SIZE:ROOT ...] [-sample N] DIR
//
// It opens the checkpoint, on which every given key must have signed; derives the root again from the entry bundles;
// compares each hash tile and tag-day file with what the entries say; and, out of the tiles alone, proves the inclusion
// of N entries and that the ledger grew from the older sizes and roots (base64). Exit code 1 comes with the reason.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

type texts []string

func (t *texts) String() string     { return strings.Join(*t, " ") }
func (t *texts) Set(s string) error { *t = append(*t, s); return nil }

func main() {
	var vkeys, olds texts
	flag.Var(&vkeys, "vkey", "verifier key that must have signed")
	flag.Var(&olds, "old", "SIZE:ROOT of a checkpoint seen before")
	sample := flag.Int64("sample", 20, "entries whose inclusion is proved from tiles")
	flag.Parse()
	if flag.NArg() != 1 || len(vkeys) == 0 {
		flag.Usage()
		os.Exit(2)
	}
	size, err := verify(flag.Arg(0), vkeys, olds, *sample)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d entries verified\n", size)
}

func verify(dir string, vkeys, olds []string, sample int64) (int64, error) {
	origin, tree, err := openCheckpoint(dir, vkeys)
	if err != nil {
		return 0, err
	}
	entries, err := readEntries(dir, tree.N)
	if err != nil {
		return 0, err
	}
	hashes, err := rebuild(entries)
	if err != nil {
		return 0, err
	}
	if root, err := tlog.TreeHash(tree.N, hashes); err != nil {
		return 0, err
	} else if root != tree.Hash {
		return 0, fmt.Errorf("%s: root of the entries is %v, the checkpoint says %v", origin, root, tree.Hash)
	}
	if err := checkTiles(dir, tree.N, hashes); err != nil {
		return 0, err
	}
	if err := checkDays(dir, entries); err != nil {
		return 0, err
	}
	// From here on nothing but the published tiles is used, as a client would that has not read the entries.
	tiles := tlog.TileHashReader(tree, files{dir})
	for i := int64(0); i < min(sample, tree.N); i++ {
		// Both ends, and evenly between them.
		index := i * (tree.N - 1) / max(min(sample, tree.N)-1, 1)
		proof, err := tlog.ProveRecord(tree.N, index, tiles)
		if err != nil {
			return 0, fmt.Errorf("entry %d: %w", index, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entries[index])); err != nil {
			return 0, fmt.Errorf("entry %d: %w", index, err)
		}
	}
	for _, old := range olds {
		if err := checkGrowth(old, tree, tiles); err != nil {
			return 0, fmt.Errorf("old checkpoint %s: %w", old, err)
		}
	}
	return tree.N, nil
}

func openCheckpoint(dir string, vkeys []string) (origin string, tree tlog.Tree, err error) {
	var known []note.Verifier
	for _, vkey := range vkeys {
		v, err := newVerifier(vkey)
		if err != nil {
			return "", tree, fmt.Errorf("vkey %.80s: %w", vkey, err)
		}
		known = append(known, v)
	}
	data, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return "", tree, err
	}
	opened, err := note.Open(data, note.VerifierList(known...))
	if err != nil {
		return "", tree, fmt.Errorf("checkpoint: %w", err)
	}
	for _, v := range known {
		signed := false
		for _, sig := range opened.Sigs {
			signed = signed || sig.Name == v.Name() && sig.Hash == v.KeyHash()
		}
		if !signed {
			return "", tree, fmt.Errorf("checkpoint: %s has not signed", v.Name())
		}
	}
	return parseCheckpoint(opened.Text)
}

// parseCheckpoint reads C2SP tlog-checkpoint without extension lines.
func parseCheckpoint(text string) (origin string, tree tlog.Tree, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[0] == "" || lines[3] != "" {
		return "", tree, errors.New("checkpoint: not three lines")
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || tree.N < 0 || strconv.FormatInt(tree.N, 10) != lines[1] {
		return "", tree, errors.New("checkpoint: size")
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return "", tree, errors.New("checkpoint: root")
	}
	copy(tree.Hash[:], root)
	return lines[0], tree, nil
}

// A cosigner verifies C2SP tlog-cosignature, of type 0x04 (Ed25519) or 0x06 (ML-DSA-44).
type cosigner struct {
	name   string
	hash   uint32
	verify func(text string, timestamp uint64, sig []byte) bool
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }
func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) < 8 {
		return false
	}
	timestamp := binary.BigEndian.Uint64(sig)
	return timestamp < 1<<63 && c.verify(string(msg), timestamp, sig[8:])
}

func newVerifier(vkey string) (note.Verifier, error) {
	name, rest, _ := strings.Cut(vkey, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || name == "" || len(key) == 0 {
		return nil, errors.New("not name+keyid+base64")
	}
	if key[0] == 0x01 {
		return note.NewVerifier(vkey)
	}
	sum := sha256.Sum256(append([]byte(name+"\n"), key...))
	c := &cosigner{name: name, hash: binary.BigEndian.Uint32(sum[:])}
	if fmt.Sprintf("%08x", c.hash) != id {
		return nil, errors.New("key id is of another key")
	}
	switch {
	case key[0] == 0x04 && len(key) == 1+ed25519.PublicKeySize:
		c.verify = func(text string, timestamp uint64, sig []byte) bool {
			message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", timestamp, text)
			return ed25519.Verify(key[1:], []byte(message), sig)
		}
	case key[0] == 0x06:
		public, err := mldsa.NewPublicKey(mldsa.MLDSA44(), key[1:])
		if err != nil {
			return nil, err
		}
		c.verify = func(text string, timestamp uint64, sig []byte) bool {
			message, err := subtreeMessage(name, text, timestamp)
			return err == nil && mldsa.Verify(public, message, sig, nil) == nil
		}
	default:
		return nil, fmt.Errorf("type %#02x with %d bytes", key[0], len(key)-1)
	}
	return c, nil
}

func subtreeMessage(name, text string, timestamp uint64) ([]byte, error) {
	origin, tree, err := parseCheckpoint(text)
	if err != nil || len(name) > 255 || len(origin) > 255 {
		return nil, errors.New("not a checkpoint that can be cosigned")
	}
	m := []byte("subtree/v1\n\x00")
	m = append(append(m, byte(len(name))), name...)
	m = binary.BigEndian.AppendUint64(m, timestamp)
	m = append(append(m, byte(len(origin))), origin...)
	m = binary.BigEndian.AppendUint64(m, 0)
	m = binary.BigEndian.AppendUint64(m, uint64(tree.N))
	return append(m, tree.Hash[:]...), nil
}

// tilePath is tlog's without the height, which C2SP tlog-tiles fixes at 8.
func tilePath(t tlog.Tile) string {
	path := strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", height))
	return "tile/" + strings.Replace(path, "data/", "entries/", 1)
}

func readEntries(dir string, size int64) ([][]byte, error) {
	entries := make([][]byte, 0, size)
	for n := int64(0); n*width < size; n++ {
		count := int(min(width, size-n*width))
		path := tilePath(tlog.Tile{H: height, L: -1, N: n, W: count})
		data, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return nil, err
		}
		for i := 0; i < count; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s: ends within entry %d", path, i)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries, data = append(entries, data[2:end]), data[end:]
		}
		if len(data) != 0 {
			return nil, fmt.Errorf("%s: goes on after %d entries", path, count)
		}
	}
	return entries, nil
}

// rebuild hashes all entries into tlog's storage order.
func rebuild(entries [][]byte) (tlog.HashReader, error) {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index >= int64(len(stored)) {
				return nil, fmt.Errorf("no stored hash %d", index)
			}
			found[i] = stored[index]
		}
		return found, nil
	})
	for i, entry := range entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, reader)
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
	}
	return reader, nil
}

func checkTiles(dir string, size int64, hashes tlog.HashReader) error {
	for _, t := range tlog.NewTiles(height, 0, size) {
		want, err := tlog.ReadTileData(t, hashes)
		if err != nil {
			return err
		}
		found, err := os.ReadFile(filepath.Join(dir, tilePath(t)))
		if err != nil {
			return err
		}
		if !bytes.Equal(found, want) {
			return fmt.Errorf("%s: differs from the entries", tilePath(t))
		}
	}
	return nil
}

// checkDays compares tags/YYYY-MM-DD with the entries of that day: tag (16) and u64 index, sorted.
func checkDays(dir string, entries [][]byte) error {
	days := map[string][]string{}
	last := int64(0)
	for i, data := range entries {
		var entry struct {
			Time int64    `json:"time"`
			Tags [][]byte `json:"tags"`
		}
		if err := json.Unmarshal(data, &entry); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if entry.Time < last {
			return fmt.Errorf("entry %d: time decreases", i)
		}
		last = entry.Time
		day := time.Unix(entry.Time, 0).UTC().Format(time.DateOnly)
		for _, tag := range entry.Tags {
			days[day] = append(days[day], string(binary.BigEndian.AppendUint64(tag, uint64(i))))
		}
	}
	for day, lines := range days {
		sort.Strings(lines)
		found, err := os.ReadFile(filepath.Join(dir, "tags", day))
		if err != nil {
			return err
		}
		if string(found) != strings.Join(lines, "") {
			return fmt.Errorf("tags/%s: differs from the entries", day)
		}
	}
	return nil
}

func checkGrowth(old string, tree tlog.Tree, tiles tlog.HashReader) error {
	before, encoded, _ := strings.Cut(old, ":")
	size, err := strconv.ParseInt(before, 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(encoded)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, size, tiles)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, size, root)
}

// files reads hash tiles; tlog authenticates them against the checkpoint before it uses them.
type files struct{ dir string }

func (f files) Height() int { return height }

func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, t := range tiles {
		data, err := os.ReadFile(filepath.Join(f.dir, tilePath(t)))
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("%s: %d bytes", tilePath(t), len(data))
		}
		found = append(found, data)
	}
	return found, nil
}

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}
