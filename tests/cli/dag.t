# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

diamond()
{
	new_repo project
	cat >mlv.yaml <<-'YAML'
		stages:
		  a: {cmd: a, outs: [a.txt]}
		  b: {cmd: b, deps: [a.txt], outs: [b.txt]}
		  c: {cmd: c, deps: [a.txt], outs: [c.txt], frozen: true}
		  d: {cmd: d, deps: [b.txt, c.txt], outs: [d.txt]}
		  e: {cmd: e, outs: ['"e"']}
	YAML
}

test_case "dag draws each stage below what it needs" <<'CASE'
	diamond
	expect_ok mlv dag
	expect_out_is "* a
├─╮
* │ b
│ * c (frozen)
├─╯
* d
* e"
	expect_ok mlv dag b
	expect_out_is "* a
* b"
	expect_ok mlv dag -o b
	expect_out_is "* a.txt
* b.txt"
CASE

test_case "dag has forms for Graphviz, Markdown and programs" <<'CASE'
	diamond
	expect_ok mlv dag --dot d
	expect_out_is 'digraph {
  n0 [label="a"]
  n1 [label="b"]
  n2 [label="c (frozen)"]
  n3 [label="d"]
  n0 -> n1
  n0 -> n2
  n1 -> n3
  n2 -> n3
}'
	expect_ok mlv dag --mermaid -o e
	expect_out_is 'flowchart TD
	n4["#quot;e#quot;"]'
	expect_ok mlv dag --json
	expect_json '.stages[3].needs' '["b","c"]'
	expect_json '.stages | length' 5
	expect_status 129 mlv dag --json --dot
CASE

test_done
