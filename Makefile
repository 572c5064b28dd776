# One command each on a machine that has Python >= 3.10, make and git:
#   make demo    simulate, train, evaluate: figures/demo/ and a table of distances on screen
#   make test    everything that must hold before a change lands, as many checks at a time as there are cores
#   make test-slow  every notebook with its long proofs too, the cells under the flag `slow`, and the explorer in JupyterLab: for a nightly schedule
#   make explore sliders around an emulator, in your browser: make explore EMULATOR=demo PORT=9000
#   make docs    the documentation as pages in _site, every link of them checked
#   make lab     the notebooks in JupyterLab
#   make pictures  the pictures of the explorer in figures/, after new weights (needs a Chromium)
PY     ?= python3
PRESET ?= laptop
EMULATOR ?= mock64
PORT   ?= 8866
HOST   ?= 127.0.0.1
V      := .venv
B      := $(abspath $(V)/bin)
STAMP  := $(V)/.installed
DOCS   := $(V)/.docs_installed
NB     := $(B)/papermill --cwd nbs --no-progress-bar --log-output --log-level WARNING

# the demo at each preset: LH simulations, pixels a side, passes to train the regressor that reads labels back
N_laptop := 120
P_laptop := 64
E_laptop := 20
N_smoke  := 60
P_smoke  := 32
E_smoke  := 4
RUN := $(if $(filter laptop,$(PRESET)),demo,demo-$(PRESET))
N   := $(or $(N_$(PRESET)),$(error PRESET=$(PRESET): the demo knows laptop and smoke))
P   := $(P_$(PRESET))
E   := $(E_$(PRESET))

MAPS := data/maps/$(RUN)
RUNS := data/runs/$(RUN)

.PHONY: setup demo test test-slow smoke explore docs lab pictures clean
setup: $(STAMP)
$(STAMP): settings.ini setup.py
	$(PY) -m venv $(V)
	$(B)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	touch $@
$(DOCS): $(STAMP)
	$(B)/python -m pip install -q --disable-pip-version-check -e '.[docs]'
	touch $@

demo: setup
	$(B)/cmd_emulator simulate --data-dir $(MAPS) --n-sims $(N) --resolution $(P) --sim-set LH twin twin2 twin3 twin4
	mkdir -p $(RUNS) figures/$(RUN)
	$(NB) nbs/04_train.ipynb $(RUNS)/run.ipynb -p run $(RUN) -p preset $(PRESET) -p data_dir ../$(MAPS)
	$(NB) nbs/05_evaluate.ipynb $(RUNS)/report.ipynb -p emulator $(RUN) -p data_dir ../$(MAPS) -p out ../figures/$(RUN) -p epochs $(E) -p overwrite True
	@cat figures/$(RUN)/report.md
	@echo "pictures and report.md are in figures/$(RUN)/"

test: $(DOCS)
	$(B)/nbdev_export
	$(B)/nbdev_clean
	git diff --exit-code --stat -- cmd_emulator nbs
	$(B)/python tests/house.py
	$(B)/python docs/make_fidelity.py --check
	$(B)/python tests/run_notebooks.py

test-slow: setup
	$(B)/python tests/run_notebooks.py --slow --only
	$(B)/python tests/test_explorer.py lab

# what papermill makes of the two notebooks that people run, with their defaults
smoke: setup
	mkdir -p data/runs/test
	$(NB) nbs/04_train.ipynb data/runs/test/run.ipynb -p run test
	$(B)/cmd_emulator simulate --data-dir data/maps/test --n-sims 60 --resolution 32 --sim-set LH twin twin2
	$(NB) nbs/05_evaluate.ipynb data/runs/test/report.ipynb -p emulator test -p data_dir ../data/maps/test -p out ../figures/test -p overwrite True
	grep -q "6 test simulations, Mock LH at 32" figures/test/report.md

explore: setup
	$(B)/cmd_emulator explore --emulator $(EMULATOR) --port $(PORT) --host $(HOST)

pictures: setup
	$(B)/python benchmarks/explorer_pictures.py

docs: $(DOCS)
	NO_MKDOCS_2_WARNING=1 $(B)/python docs/build.py

lab: setup
	$(B)/jupyter lab

clean:
	rm -rf $(V) build _pages _site *.egg-info
