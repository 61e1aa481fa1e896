# SPDX-License-Identifier: Apache-2.0
# mlv plots: as text, as a page, as data.
. "$(dirname "$0")/lib.sh"

# A picture of one pixel.
gen_png()
{
	base64 -d >"$1" <<-'PNG'
		iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==
	PNG
}

make_plots()
{
	new_repo project
	cat >dvc.yaml <<-'YAML'
		stages:
		  train:
		    cmd: train
		    plots:
		    - loss.csv: {cache: false, x: epoch, y: loss, title: Loss of it}
		    - classes.tsv: {cache: false, template: confusion, x: actual, y: predicted}
		plots:
		- both: {x: epoch, y: {loss.csv: [loss, acc]}}
		- sizes.json: {template: histogram, y: size, bins: 4}
		- weights.yaml: {template: bar_horizontal, x: weight, y: name}
		- img
		- loss.csv
	YAML
	printf 'epoch,loss,acc\n0,4,0.1\n1,2,0.2\n2,1,0.4\n3,nan,0.8\n' >loss.csv
	printf 'actual\tpredicted\ncat\tcat\ncat\tdog\ndog\tdog\ndog\tdog\n' >classes.tsv
	echo '[{"size": 1}, {"size": 2}, {"size": 2.5}, {"size": 8}]' >sizes.json
	printf -- '- {name: a, weight: 1}\n- {name: b, weight: -2}\n' >weights.yaml
	mkdir img
	gen_png img/dot.png
	commit_all first
	git tag v1
	printf 'epoch,loss,acc\n0,3,0.2\n1,1,0.3\n2,0.5,0.5\n3,0.2,0.9\n' >loss.csv
}

test_case "show draws each plot as text" <<'CASE'
	make_plots
	expect_ok mlv plots show --width 50 --height 10
	expect_out 'Loss of it'
	expect_out '2 ┤'
	expect_out 'x: epoch'
	expect_out '● loss   ○ acc'
	expect_out 'predicted ↓  actual →'
	expect_out '  dog    1    2'
	expect_out 'image/png, 1 x 1'
	expect_out 'a │██'
	expect_no_out 'loss.csv (2)'
	cp "$CASE/out" first
	expect_ok mlv plots show --width 50 --height 10
	expect_same first "$CASE/out"
CASE

test_case "a terminal's colours are not used where there is none" <<'CASE'
	make_plots
	expect_ok mlv plots diff
	! grep -q "$(printf '\033')" "$CASE/out"
	expect_out '● HEAD   ○ workspace'
CASE

test_case "diff writes a page that needs nothing else" <<'CASE'
	make_plots
	expect_ok mlv plots diff v1 -o page.html
	expect_err "wrote all plots to 'page.html'"
	python3 - <<-'CHECK'
		import html.parser, re, sys
		page = open("page.html", encoding="utf-8").read()
		class Checker(html.parser.HTMLParser):
		    void = {"meta", "img", "line", "path", "circle"}
		    stack, tags = [], {}
		    def handle_starttag(self, tag, attributes):
		        self.tags[tag] = self.tags.get(tag, 0) + 1
		        if tag not in self.void or tag in ("circle",):
		            self.stack.append(tag)
		        for name, value in attributes:
		            assert not name.startswith("on"), name
		            if name in ("src", "href"):
		                assert value.startswith("data:image/"), value
		    def handle_startendtag(self, tag, attributes):
		        self.tags[tag] = self.tags.get(tag, 0) + 1
		    def handle_endtag(self, tag):
		        assert self.stack.pop() == tag, tag
		checker = Checker()
		checker.feed(page)
		assert not checker.stack, checker.stack
		assert "script" not in checker.tags
		assert checker.tags["figure"] == 6, checker.tags
		assert checker.tags["img"] == 2
		assert checker.tags["svg"] == 6
		assert "default-src 'none'" in page
		assert not re.search(r"https?:", page)
	CHECK
	cp page.html before.html
	expect_ok mlv plots diff v1 -o page.html
	expect_same before.html page.html
	mlv plots diff v1 -o - >piped.html
	expect_same before.html piped.html
CASE

test_case "names and labels cannot break out of the page" <<'CASE'
	new_repo project
	cat >mlv.yaml <<-'YAML'
		plots:
		- "</title><script>alert(1)</script>": {y: {"a.csv": "<b>y</b>"}, title: "\"><img src=x onerror=alert(1)>", x: "x'y\"z"}
	YAML
	printf 'x'\''y"z,<b>y</b>\n1,2\n<i>n</i>,3\n' >a.csv
	expect_ok mlv plots show -o page.html
	! grep -qE '<script|<b>|<i>|<img' page.html
	expect_ok mlv plots show
	printf 'a\033[31mb,c\001\n1,2\n' >b.csv
	expect_ok mlv plots show -x "$(printf 'a\033[31mb')" -- b.csv
	! grep -q "$(printf '\033')" "$CASE/out"
CASE

test_case "JSON has the data" <<'CASE'
	make_plots
	expect_ok mlv plots show --json v1 -- both
	expect_json '.plots | length' 1
	expect_json '.plots[0].id' '"both"'
	expect_json '.plots[0].data[0]' '{"revision":"v1","label":"loss","x":[0,1,2,3],"y":[4,2,1,"NaN"]}'
	expect_ok mlv plots show --json -- classes.tsv
	expect_json '.plots[0].data[0].counts' '[1,0,1,2]'
	expect_json '.plots[0].data[0].classes' '["cat","dog"]'
	expect_ok mlv plots show --json -- sizes.json
	expect_json '.plots[0].data[0].y' '[1,2,0,1]'
CASE

test_case "plots of the files of DVC's example project are understood" <<'CASE'
	new_repo project
	mkdir -p eval/plots/cm eval/prc
	cat >dvc.yaml <<-'YAML'
		plots:
		  - ROC:
		      template: simple
		      x: fpr
		      y:
		        eval/prc/train.json: tpr
		        eval/prc/test.json: tpr
		  - Confusion-Matrix:
		      template: confusion
		      x: actual
		      y:
		        eval/plots/cm/train.json: predicted
		        eval/plots/cm/test.json: predicted
	YAML
	echo '{"roc": [{"fpr": 0, "tpr": 0, "threshold": Infinity}, {"fpr": 1, "tpr": 1, "threshold": 0}]}' >eval/prc/train.json
	cp eval/prc/train.json eval/prc/test.json
	echo '[{"actual": "1.0", "predicted": "0.0"}]' >eval/plots/cm/train.json
	echo '[{"actual": "1.0", "predicted": "1.0"}]' >eval/plots/cm/test.json
	expect_ok mlv plots show --json
	expect_json '[.plots[] | .id]' '["Confusion-Matrix","ROC"]'
	expect_json '[.plots[0].data[] | [.label, .counts]]' '[["train.json",[0,1,0,0]],["test.json",[0,0,0,1]]]'
	expect_json '[.plots[1].data[] | [.label, .x]]' '[["train.json",[0,1]],["test.json",[0,1]]]'
	expect_ok mlv plots show
	expect_out '● train.json   ○ test.json'
	expect_ok mlv plots show -o page.html
	grep -q '<div class="name">train.json</div>' page.html
CASE

test_case "any file can be drawn, with any columns" <<'CASE'
	make_plots
	printf '1;5\n2;6\n' >bare.csv
	expect_ok mlv plots show --no-header --json -x 0 -y 1 --title T --x-label X --y-label Y -- bare.csv
	expect_json '.plots[0].title' '"T"'
	expect_json '.plots[0].data[0].y' '[5,6]'
	expect_ok mlv plots show --json -t confusion_normalized -x actual -y predicted -- classes.tsv
	expect_json '.plots[0].data[0].counts' '[1,0,0.3333333333333333,0.6666666666666666]'
	expect_ok mlv plots show -t scatter -x acc -y loss -y epoch -- loss.csv
	expect_status 129 mlv plots show -t nonsense
	expect_status 128 mlv plots show -- nothing.csv
	expect_ok mlv plots show -y nonsense -- sizes.json
	expect_out "no column 'nonsense' in 'sizes.json'; it has size"
CASE

test_case "a log is drawn metric by metric" <<'CASE'
	new_repo project
	for step in 10 20 30; do
		mlv log-metric -q --step $step loss=0.$step val.acc=$step
	done
	printf '{"loss' >>metrics.jsonl
	expect_ok mlv plots show --json -- metrics.jsonl
	expect_json '[.plots[].title]' '["loss","val.acc"]'
	expect_json '.plots[0].data[0].x' '[10,20,30]'
CASE

test_case "what lacks at a revision is said in its place" <<'CASE'
	make_plots
	printf 'plots: [new.csv, odd.csv]\n' >mlv.yaml
	printf 'a\n1\n2\n' >new.csv
	printf 'x\0y\n' >odd.csv
	expect_ok mlv plots diff
	expect_out "(HEAD: no 'new.csv')"
	expect_out 'NUL'
	echo 'nonsense' >img/dot.png
	rm mlv.yaml
	expect_ok mlv plots show -- img
	expect_out "'img/dot.png' is no picture"
CASE

test_case "pictures and tables in tracked data are drawn from the store" <<'CASE'
	new_repo project
	mkdir -p data/img
	gen_png data/img/a.png
	printf 'x,y\n1,2\n2,3\n' >data/t.csv
	echo 'plots: [data]' >mlv.yaml
	mlv add -q data
	commit_all first
	rm -r data
	expect_ok mlv plots show HEAD --json
	expect_json '[.plots[].id]' '["data/img/a.png","data/t.csv"]'
	expect_json '.plots[1].data[0].y' '[2,3]'
CASE

test_case "a long table is drawn with few points, and none that stands out is lost" <<'CASE'
	new_repo project
	awk 'BEGIN { print "x,y"; for (i = 0; i < 200000; i++) print i "," (i == 77777 ? 1000 : i % 3) }' >long.csv
	expect_ok mlv plots show -o page.html -- long.csv
	[ "$(stat -c %s page.html)" -lt 60000 ]
	expect_ok mlv plots show --height 8 -- long.csv
	expect_out '1000 ┤'
CASE

test_done
