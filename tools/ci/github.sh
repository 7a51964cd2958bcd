#!/usr/bin/env bash
# What the GitHub action runs: findings beside the changed lines for lint, the plan in the job's summary for plan.
# usage: github.sh PROGRAM, with POSTRENDER_ACTION_* in the environment (see action.yml)
set -euo pipefail
program=$1
mapfile -t more < <(printf '%s' "${POSTRENDER_ACTION_ARGUMENTS:-}" | sed '/^[[:space:]]*$/d')
case $POSTRENDER_ACTION_COMMAND in
lint)
    exec "$program" lint --output github "$POSTRENDER_ACTION_CHART" ${more[@]+"${more[@]}"}
    ;;
plan)
    [ -z "${POSTRENDER_ACTION_NAMESPACE:-}" ] || more+=(--namespace "$POSTRENDER_ACTION_NAMESPACE")
    code=0
    "$program" plan "$POSTRENDER_ACTION_RELEASE" "$POSTRENDER_ACTION_CHART" --output markdown ${more[@]+"${more[@]}"} >"$RUNNER_TEMP/plan.md" || code=$?
    cat "$RUNNER_TEMP/plan.md" | tee -a "$GITHUB_STEP_SUMMARY"
    # 10, if --detailed-exitcode is among the arguments: something would change.
    [ "$code" -eq 10 ] || exit "$code"
    ;;
*)
    echo "error: the action's command is $POSTRENDER_ACTION_COMMAND, and has to be lint or plan" >&2
    exit 2
    ;;
esac
