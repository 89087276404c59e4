// Builds ops with BuildKit's own client and prints the definitions, one line for each:
// a name, a blank, and the definition in base64. tests/llb_go.rs builds the same ops.
// `go generate` in this folder writes the golden file again.
package main

//go:generate sh -c "go run . > ../llb-go.txt"

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/protobuf/proto"
)

var (
	amd64   = ocispecs.Platform{OS: "linux", Architecture: "amd64"}
	armv7   = ocispecs.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	image   = llb.Image("docker.io/library/alpine:3.22")
	local   = llb.Local("context", llb.SessionID("session"))
	created = llb.WithCreatedTime(time.Unix(1700000000, 5))
)

func sources() map[string]llb.State {
	const sum = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	return map[string]llb.State{
		"image": image,
		"image-options": llb.Image("dhi.io/node@"+sum, llb.ResolveModeForcePull, llb.MarkImageInternal,
			llb.Platform(armv7), llb.IgnoreCache, llb.WithCustomName("[internal] load"), llb.WithExportCache(),
			llb.ProgressGroup("group", "name", true), llb.Require("worker==1")),
		"image-local":   llb.Image("docker.io/library/alpine:3.22", llb.ResolveModePreferLocal),
		"local-session": local,
		"local-unique":  llb.Local("context"),
		"local-all": llb.Local("context", llb.SessionID("session"), llb.IncludePatterns([]string{"a<b", "**/*.go"}),
			llb.ExcludePatterns([]string{"!c&d", "e\"f"}), llb.FollowPaths([]string{"g", "h"}), llb.SharedKeyHint("hint"),
			llb.Differ(llb.DiffMetadata, true), llb.MetadataOnlyTransfer([]string{"i"})),
		"local-metadata": llb.Local("context", llb.SessionID("session"), llb.MetadataOnlyTransfer(nil)),
		"git":            llb.Git("https://github.com/moby/buildkit.git", "v0.34.2"),
		"git-all": llb.Git("https://user@example.com:8443//a/b.git", "main:sub/dir", llb.KeepGitDir(), llb.GitSkipSubmodules(),
			llb.GitMTimeCommit(), llb.GitChecksum("0123456789012345678901234567890123456789"), llb.AuthTokenSecret("token"),
			llb.AuthHeaderSecret("header"), llb.GitFetchByCommit(), llb.GitAdvice(true)),
		"git-ssh": llb.Git("git@example.com:a/b.git", "", llb.KnownSSHHosts("example.com ssh-ed25519 AAAA"), llb.MountSSHSock("agent")),
		"http":    llb.HTTP("https://example.com/file"),
		"http-all": llb.HTTP("https://example.com/file", llb.Checksum(sum), llb.Filename("name"), llb.Chmod(0o755),
			llb.Chown(7, 8), llb.AuthHeaderSecret("header")),
		"oci-layout": llb.OCILayout("name@"+sum, llb.OCIStore("session", "store"), llb.OCILayerLimit(2)),
	}
}

func execs() map[string]llb.State {
	env := "ID"
	run := image.Run(llb.Args([]string{"/bin/sh", "-c", "make"}), llb.Dir("/src"), llb.WithCustomName("[build 1/2] RUN make"))
	all := image.AddEnv("A", "1").AddEnv("B", "x y").User("1000:1000").Dir("/work").Hostname("host").
		AddExtraHost("db", net.ParseIP("10.0.0.1")).AddUlimit(llb.UlimitNofile, 1024, 2048).WithCgroupParent("parent").
		Network(llb.NetModeNone).Security(llb.SecurityModeInsecure).
		Run(llb.Args([]string{"true"}), llb.ValidExitCodes(0, 3), llb.WithProxy(llb.ProxyEnv{HTTPProxy: "http://p", NoProxy: "n"}),
			llb.WithLinuxResources(llb.LinuxResources{Memory: 1 << 20}))
	mounts := image.Run(llb.Args([]string{"true"}),
		llb.AddMount("/tmp", llb.Scratch(), llb.Tmpfs(llb.TmpfsSize(64))),
		llb.AddMount("/run", llb.Scratch(), llb.Tmpfs()),
		llb.AddMount("/ro", local, llb.Readonly, llb.SourcePath("/sub"), llb.ContentCache(llb.MountContentCacheOff)),
		llb.AddMount("/rw", local, llb.ForceNoOutput, llb.ContentCache(llb.MountContentCacheOn)),
		llb.AddMount("/cache", llb.Scratch(), llb.AsPersistentCacheDir("id", llb.CacheMountLocked)),
		llb.AddMount("/cache2", local, llb.SourcePath("/seed"), llb.AsPersistentCacheDir("id2", llb.CacheMountPrivate)),
		llb.AddSecret("/run/secrets/a", llb.SecretID("a"), llb.SecretFileOpt(1, 2, 0o440), llb.SecretOptional),
		llb.AddSecretWithDest("b", nil, llb.SecretAsEnvName(env)),
		llb.AddSSHSocket(llb.SSHID("default"), llb.SSHOptional),
		llb.AddSSHSocket(llb.SSHID("other"), llb.SSHSocketOpt("/agent", 3, 4, 0o666)),
		llb.ReadonlyRootFS())
	outputs := image.Run(llb.Args([]string{"true"}))
	second := outputs.AddMount("/out", llb.Scratch())
	first := outputs.AddMount("/b", local)
	return map[string]llb.State{
		"exec":         run.Root(),
		"exec-all":     all.Root(),
		"exec-mounts":  mounts.AddMount("/zz", llb.Scratch()),
		"exec-outputs": llb.Merge([]llb.State{outputs.Root(), first, second}),
	}
}

func files() map[string]llb.State {
	copyAll := llb.Copy(local, "/src", "/dst/", &llb.CopyInfo{
		FollowSymlinks: true, CopyDirContentsOnly: true, AttemptUnpack: true, CreateDestPath: true, AllowWildcard: true,
		AllowEmptyWildcard: true, AlwaysReplaceExistingDestPaths: true, IncludePatterns: []string{"*.go", "a"},
		ExcludePatterns: []string{"b"}, RequiredPaths: []string{"/src/a"}, Mode: &llb.ChmodOpt{ModeStr: "go-w,a-st,a+rX"},
	}, llb.WithUIDGID(0, 65532), created)
	chain := llb.Mkdir("/a/b", 0o755, llb.WithParents(true), llb.WithUIDGID(1000, 0), created).
		Mkfile("/a/b/c", 0o640, []byte{0, 255, 'x'}, llb.WithUIDGID(1, 2), created).
		Symlink("b/c", "/a/link", llb.WithUIDGID(3, 4), created).
		Rm("/a/b/*", llb.WithAllowNotFound(true), llb.WithAllowWildcard(true)).
		Copy(image, "/etc/os-release", "/a/", llb.ChmodOpt{Mode: 0o4755})
	side := llb.Mkfile("/f", 0o600, []byte("x")).WithState(llb.Scratch())
	return map[string]llb.State{
		"mkdir":     llb.Scratch().File(llb.Mkdir("/app", 0o700)),
		"mkfile":    image.File(llb.Mkfile("/empty", 0o644, nil)),
		"symlink":   image.File(llb.Symlink("target", "/link")),
		"rm":        image.File(llb.Rm("/etc/motd")),
		"copy":      image.File(llb.Copy(local, "/", "/app")),
		"copy-all":  image.File(copyAll, llb.WithCustomName("COPY")),
		"copy-self": image.File(llb.Copy(image, "/a", "/b").Copy(local, "/c", "/d").Copy(image, "/e", "/f")),
		"chain":     local.File(chain),
		"side":      image.File(llb.Mkdir("/a", 0o755).Copy(side, "/f", "/a/f")),
	}
}

func rest() map[string]llb.State {
	upper := image.File(llb.Mkdir("/app", 0o700))
	file := llb.NewSourceMap(nil, "app.yaml", "YAML", []byte("base: a\n"))
	at := file.Location([]*pb.Range{{Start: &pb.Position{Line: 1, Character: 6}, End: &pb.Position{Line: 1, Character: 7}}})
	return map[string]llb.State{
		"merge":       llb.Merge([]llb.State{image, local, image}, llb.WithCustomName("merge")),
		"diff":        llb.Diff(image, upper),
		"diff-empty":  llb.Diff(image, llb.Scratch()),
		"passthrough": llb.NewPassthrough("hardpan", []llb.PassthroughInput{{State: upper, Output: true}, {State: image}, {State: local}}),
		"located":     llb.Image("docker.io/library/alpine:3.22", at).File(llb.Mkdir("/app", 0o700), at),
		"scratch":     llb.Scratch(),
	}
}

func main() {
	for _, group := range []map[string]llb.State{sources(), execs(), files(), rest()} {
		for _, name := range slices.Sorted(maps.Keys(group)) {
			definition, err := group[name].Marshal(context.Background(), llb.Platform(amd64),
				llb.WithCaps(pb.Caps.CapSet(pb.Caps.All())), llb.LocalUniqueID("unique"))
			if err != nil {
				fmt.Fprintln(os.Stderr, name, err)
				os.Exit(1)
			}
			bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(definition.ToPB())
			if err != nil {
				fmt.Fprintln(os.Stderr, name, err)
				os.Exit(1)
			}
			fmt.Println(name, base64.StdEncoding.EncodeToString(bytes))
		}
	}
}
