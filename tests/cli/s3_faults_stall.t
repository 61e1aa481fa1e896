# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/s3/lib.sh"

while read -r action what; do
	test_case "push: $what" "s3_faults_begin; breaks_push $action"
	test_case "pull: $what" "s3_faults_begin; mlv push -q; breaks_pull $action"
done <<'ACTIONS'
stall=20 the answer stalls
stall-req the answer never comes
ACTIONS

test_done
