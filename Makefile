# Every target is an order: the stages' keys decide what there is to do.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install corpus tokenizer tokenizer-report tokens pretrain klue-eval klue-prompt klue-check report status generate plan export \
        test test-extras lint bench torture clean settings lock

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PRESET ?= demo
EXTRAS ?=
VENV   := .venv
PY     := $(VENV)/bin/python
READY  := $(VENV)/.ready

export PYTHONUTF8 := 1
export TOKENIZERS_PARALLELISM := false
# As it was typed: make would take $H in a prompt for a variable of its own.
PROMPT_TEXT := $(value PROMPT)
export PROMPT_TEXT

ARGS = --preset "$(PRESET)" \
       $(if $(RECIPE),--recipe "$(RECIPE)") $(if $(DATA),--data "$(DATA)") $(if $(KLUE),--klue "$(KLUE)") \
       $(if $(INIT),--init "$(INIT)") $(if $(MODEL),--model "$(MODEL)") $(if $(SEEDS),--seeds "$(SEEDS)") \
       $(if $(CONTROL),--control "$(CONTROL)") $(if $(DEVICE),--device "$(DEVICE)") \
       $(if $(WORKERS),--workers "$(WORKERS)") $(if $(ENGINE),--engine "$(ENGINE)") \
       $(if $(SHARD),--shard "$(SHARD)") $(if $(MERGE),--merge) $(if $(OUT),--out "$(OUT)") $(if $(TOKENIZERS),--tokenizers "$(TOKENIZERS)") $(if $(PROMPT),--prompt "$$PROMPT_TEXT") $(SET)

# Large pages, and memory kept instead of given back between steps: a fifth off a training step on a CPU (glibc only).
QUICK = GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184
# Several processes, one a GPU; several machines by PET_NNODES and PET_RDZV_ENDPOINT in the environment (see the README).
LAUNCH = $(QUICK) $(if $(GPUS),$(VENV)/bin/torchrun $(if $(PET_RDZV_ENDPOINT),,--standalone) --nproc-per-node $(GPUS),$(PY)) -m pipeline

help: ## this list
	@echo "Korean GPT-2: corpus -> tokenizer -> tokens -> pretrain -> klue-eval"; echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo; echo "Variables: PRESET=demo|laptop|small|medium|large|xl|gpt1|gpt3-small|-medium|-large|-xl   RECIPE=name or .toml   DATA=folder of your text"
	@echo "           KLUE=sample|hub|folder   SEEDS=3 CONTROL=1   INIT=model to continue   MODEL=model to evaluate"
	@echo "           DEVICE=auto|cpu|cuda|mps   GPUS=n for make pretrain, with HARDWARE=H100 for make plan   WORKERS=n"
	@echo "           OUT=folder   SET=\"pretrain.steps=200 ...\"   EXTRAS=okt,tracking,ray   KILLS=50 for make torture"
	@echo "           ENGINE=pool|ray, or SHARD=i/n then MERGE=1, for make corpus and make tokens   PEERS=folder for make bench"

# The lock's hashes cover everything but torch, which pip is left to choose the build of (see the README).
$(READY): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "error: no python3 found; set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check torch==2.13.0 $(if $(TORCH_INDEX),--index-url "$(TORCH_INDEX)")
	@touch $@

install: $(READY) ## set up .venv (other targets do so by themselves); EXTRAS=okt,tracking adds extras
	$(if $(EXTRAS),$(PY) -m pip install --quiet --disable-pip-version-check ".[$(EXTRAS)]")

corpus: $(READY) ## clean text: read, decode, clean, filter, deduplicate, split
	@$(PY) -m pipeline corpus $(ARGS)

tokenizer: corpus ## SentencePiece tokenizer with morpheme boundaries, exported for AutoTokenizer
	@$(PY) -m pipeline tokenizer $(ARGS)

tokenizer-report: $(READY) ## the tokenizer's quality on held-out text and KLUE's, beside TOKENIZERS="folder file.model"
	@$(PY) -m pipeline tokenizer-report $(ARGS)

tokens: tokenizer ## the corpus as token ids
	@$(PY) -m pipeline tokens $(ARGS)

pretrain: tokens ## train the GPT; stop and restart at any moment; GPUS=8 for so many processes
	@$(LAUNCH) pretrain $(ARGS)

klue-check: $(READY)
	@$(PY) -m pipeline klue-eval --check $(ARGS)

# A wrong KLUE= is told before anything is trained.
klue-eval: klue-check $(if $(MODEL),,pretrain) ## fine-tune on KLUE and print the table; SEEDS=1 CONTROL=0 is the quick way
	@$(QUICK) $(PY) -m pipeline klue-eval $(ARGS)

klue-prompt: klue-check $(if $(MODEL),,pretrain) ## zero-, one- and few-shot scores on KLUE, without a gradient step
	@$(QUICK) $(PY) -m pipeline klue-prompt $(ARGS)

report: $(READY) ## every stage's figures as one Markdown page
	@$(PY) -m pipeline report $(ARGS)

status: $(READY) ## stages, their keys, why each is stale, disk used
	@$(PY) -m pipeline status $(ARGS)

generate: $(READY) ## continue PROMPT="..." with the preset's model, or with MODEL=folder
	@$(PY) -m pipeline generate $(ARGS)

plan: $(READY) ## what a preset will cost: parameters, tokens, FLOPs, memory, time
	@$(QUICK) $(PY) -m pipeline plan $(if $(GPUS),--gpus $(GPUS)) $(if $(HARDWARE),--hardware "$(HARDWARE)") $(ARGS)

export: $(READY) ## copy the trained model to OUT=folder and check that it loads there by itself
	@$(PY) -m pipeline export $(ARGS)

settings: $(READY) ## every setting, its value in the preset, and what it does
	@$(PY) -m pipeline settings $(ARGS)

test: $(READY) ## all tests; those on real text need DATA=folder
	@echo "product: $$(cat $$(find corpora tokenizer pipeline -name '*.py') | wc -l) raw lines of Python," \
	    "largest file: $$(wc -l $$(find corpora tokenizer pipeline -name '*.py') | sort -n | tail -2 | head -1)"
	@DATA="$(DATA)" OMP_NUM_THREADS=1 $(PY) -m pytest

test-extras: $(READY) ## tests that need EXTRAS=okt,tracking,ray
	@$(MAKE) --no-print-directory install EXTRAS=okt,tracking,ray
	@DATA="$(DATA)" $(PY) -m pytest -m extras

lint: $(READY) ## ruff
	@$(PY) -m ruff check .

torture: $(READY) ## kill -9 a pretraining KILLS=50 times, and every other fault; prints a table
	@$(PY) -m tests.torture "$(or $(KILLS),50)"

bench: $(READY) ## speed as ratios taken in one run; BENCH=step, training (PEERS=), tokenizer, corpus (DATA=, PEERS=) or scale (DATA=, OUT=)
	@$(QUICK) BENCH="$(BENCH)" PEERS="$(PEERS)" $(PY) -m tests.bench $(ARGS)

clean: $(READY) ## remove unfinished work (finished artifacts stay; delete artifacts/ for those)
	@$(PY) -m pipeline clean $(ARGS)

# What torch's CUDA build brings along is torch's to choose, like torch itself.
NOT_LOCKED = torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvrtc \
    nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse \
    nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx
lock: ## rewrite requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --quiet \
	    --no-annotate $(addprefix --no-emit-package ,$(NOT_LOCKED)) -o requirements.lock
