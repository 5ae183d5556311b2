# Every target works as the first command on a fresh Debian 12 machine with Swift 6.3.
SHELL := /bin/bash
SWIFT ?= swift
SUITE ?= ed25519
DATA  ?= genesis/sample/weather-jfk.csv
SEEDS ?= 300
FIRST ?= 1
KEEP  ?=
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= $(shell nproc)
FUZZ  ?=
LEDGERS ?=
LIAR_SEEDS ?= 200
ROUNDS ?= 50
FAULT_SECONDS ?= 60
SOAK_SECONDS ?= 3600
SOAK ?=
BENCH ?=
MUTANTS ?= 4000
PICTURES ?= .build/page
RELEASE := .build/release

PACKAGES := libssl-dev libsodium-dev libsqlite3-dev pkg-config bubblewrap python3

.PHONY: help demo test bench chaos soak sim model fuzz corpus liars mutate interop library static page page-check lint docs build deps clean

help:
	@echo "make demo [SUITE=ed25519|sm2] [DATA=table.csv] [KEEP=1]   one asset's whole life / 一项数据资产的全流程"
	@echo "make test                                                 all tests / 全部测试"
	@echo "make sim [SEEDS=300] [FIRST=1]                            seeded simulation / 确定性仿真"
	@echo "make model                                                voting rules, every run within bounds / 形式模型"
	@echo "make bench [BENCH=name]                                   figures, one JSON object a line / 性能测量"
	@echo "make chaos [ROUNDS=50] [FAULT_SECONDS=60]                 real nodes killed, paused, cut off / 故障注入"
	@echo "make soak [SOAK_SECONDS=3600] [SOAK='--flood garbage']   memory of every node at half load / 长时间运行内存"
	@echo "make fuzz [FUZZ_SECONDS=60] [FUZZ_JOBS=cores] [FUZZ='--only verifier']   CPU seconds for every decoder, verifier and service under hostile input / 模糊测试"
	@echo "make corpus                                               what fuzzing starts from, after a change of format / 重写模糊测试语料"
	@echo "make liars [LIAR_SEEDS=200]                               nodes that lie to whoever follows them / 说谎节点"
	@echo "make mutate [LEDGERS='folder …']                          falsified evidence bundles / 篡改证据包"
	@echo "make interop                                              bundles, receipts, checkpoints in tools of others / 第三方工具互操作"
	@echo "make library                                              verification for C and Python / 供 C 与 Python 使用的核验库"
	@echo "make static                                               huijin-verify without shared libraries / 静态链接的核验程序"
	@echo "make page                                                 the page that verifies: .build/page/verify.html / 核验网页"
	@echo "make page-check [MUTANTS=4000] [PICTURES=folder]          the page against the native verifier, in Chromium / 网页与本机核验一致"
	@echo "make lint | docs | build | clean"

# Installs the system packages that are missing, as root or through sudo.
deps:
	@missing=""; for package in $(PACKAGES); do \
	  dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$package"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	  as_root=""; [ "$$(id -u)" = 0 ] || as_root="sudo"; \
	  $$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi

build: deps
	$(SWIFT) build -c release

demo: deps
	$(SWIFT) build -c release
	python3 genesis/demo/demo.py --binaries $(RELEASE) --suite $(SUITE) --data "$(DATA)" $(if $(KEEP),--keep)

# What failed stands last, where whoever sees only the end of the output finds it.
test: deps
	@mkdir -p .build; set -o pipefail; $(SWIFT) test --no-parallel 2>&1 | tee .build/test.log \
	  || { status=$$?; echo "failed / 未通过:"; grep -A 2 -E '✘|error:|Fatal error' .build/test.log | tail -60; exit $$status; }

sim: deps
	$(SWIFT) build -c release --product huijin-sim
	$(RELEASE)/huijin-sim --seeds $(SEEDS) --first $(FIRST)

# SPIN and a C compiler are for this target alone. The model needs no Swift.
model: PACKAGES := spin gcc libc6-dev python3
model: deps
	python3 docs/model/check.py

# etcd is what the idle latency is compared with: three members of its own, not the service that the package sets up.
bench: PACKAGES += etcd-server
bench: deps
	$(SWIFT) build -c release
	$(RELEASE)/huijin-bench $(BENCH)
ifeq ($(BENCH),)
	$(RELEASE)/state-map-bench bucket-rows 10000 200
	$(RELEASE)/state-map-bench bucket-rows 10000000 200
endif

chaos: deps
	$(SWIFT) build -c release
	$(RELEASE)/huijin-bench chaos --rounds $(ROUNDS) --fault-seconds $(FAULT_SECONDS)

soak: deps
	$(SWIFT) build -c release
	$(RELEASE)/huijin-bench soak --seconds $(SOAK_SECONDS) $(SOAK)

# A process for each target: a trap ends that one only, and memory is its own. What each printed stays in .build/fuzz.
fuzz: deps
	$(SWIFT) build -c release --product huijin-fuzz
	$(SWIFT) build -c release --product huijin-fuzz-services
	@RELEASE=$(RELEASE) Benchmarks/fuzz-kit/run.sh $(FUZZ_SECONDS) $(FUZZ_JOBS) $(FUZZ)

corpus: deps
	$(SWIFT) build -c release --product huijin-fuzz
	$(RELEASE)/huijin-fuzz corpus

liars: deps
	$(SWIFT) build -c release --product huijin-fuzz
	$(RELEASE)/huijin-fuzz liars --seeds $(LIAR_SEEDS)

# The Swift runtime is put inside, so that other people's programs need none.
library: deps
	$(SWIFT) build -c release --product huijin_verify -Xswiftc -static-stdlib --scratch-path .build/library \
	  -Xlinker --version-script=Sources/VerifyLibrary/exports.map
	mkdir -p out && strip -o out/libhuijin_verify.so .build/library/release/libhuijin_verify.so
	python3 Sources/VerifyLibrary/huijin_verify.py out/libhuijin_verify.so /dev/null /dev/null 2>/dev/null; [ $$? = 64 ]

# Everything inside, the C library too. It runs on any Linux of this architecture, in an empty folder as its root; the kernel's
# /proc has to be there, from which the Swift runtime reads a program's arguments. libcrypto.a comes with warnings about calls
# (getaddrinfo, dlopen) that verification never makes.
static: deps
	$(SWIFT) build -c release --product huijin-verify -Xswiftc -static-executable --scratch-path .build/static
	mkdir -p out && strip -o out/huijin-verify .build/static/release/huijin-verify
	@! readelf -d out/huijin-verify | grep -q NEEDED && ls -l out/huijin-verify
	bwrap --unshare-all --proc /proc --ro-bind out/huijin-verify /huijin-verify /huijin-verify --help >/dev/null && echo "static: ok"

mutate: deps
	$(SWIFT) build -c release --product huijin-fuzz
	$(RELEASE)/huijin-fuzz bundles $(LEDGERS)

# Python packages of others go into an environment of their own. Installing them is the one step that needs the network.
interop: PACKAGES += python3-venv openssl
interop: deps
	$(SWIFT) build -c release --product huijin-verify
	python3 -m venv .build/interop
	.build/interop/bin/pip install --quiet --disable-pip-version-check -r docs/interop/requirements.txt
	.build/interop/bin/python docs/interop/check.py --huijin-verify $(RELEASE)/huijin-verify

# libsodium's source comes through apt; nothing but the page needs it.
page: PACKAGES += dpkg-dev
page: deps
	python3 Sources/VerifyPage/build.py . .build/page

page-check: PACKAGES += dpkg-dev python3-venv chromium fonts-noto-cjk
page-check: deps page
	$(SWIFT) build -c release --product huijin_verify
	python3 -m venv .build/page-check
	.build/page-check/bin/pip install --quiet --disable-pip-version-check -r Sources/VerifyPage/check/requirements.txt
	.build/page-check/bin/python Sources/VerifyPage/check/check.py --page .build/page --library $(RELEASE)/libhuijin_verify.so \
	  --mutants $(MUTANTS) --pictures $(PICTURES)

lint:
	$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests Benchmarks

# Writes again what is generated from the code: docs/transactions.md, docs/visibility.md, docs/purposes.md,
# docs/openapi.json, and the golden vectors of kinds that have none.
docs: deps
	HUIJIN_WRITE_DOCS=1 HUIJIN_WRITE_VECTORS=1 $(SWIFT) test --filter 'DocumentationTests|DocumentTests|PurposePageTests|KindTableTests|VocabularyTests'

clean:
	rm -rf .build out
