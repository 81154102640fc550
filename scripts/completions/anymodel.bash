# Completion of anymodel in bash; written by: anymodel completion bash
_anymodel() {
    local word=${COMP_WORDS[COMP_CWORD]} words=''
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words='bench cache chat compile completion embed generate help inspect models plan preprocess quality render run target targets tokenize verify verify-text version'
    elif [[ $word == -* ]]; then
        case ${COMP_WORDS[1]} in
        bench) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --shape --profile' ;;
        cache) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help' ;;
        chat) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --system --image --video --max-new-tokens --temperature --top-k --top-p --min-p --repetition-penalty --num-beams --seed --stop --greedy --option --num-return-sequences --length-penalty --early-stopping --min-new-tokens --no-repeat-ngram-size --encoder-no-repeat-ngram-size --encoder-repetition-penalty --typical-p --top-h --epsilon-cutoff --eta-cutoff --stream' ;;
        compile) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --output --shape --prompt --max-new-tokens' ;;
        completion) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help' ;;
        embed) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help' ;;
        generate) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --prompt --max-new-tokens --temperature --top-k --top-p --min-p --repetition-penalty --num-beams --seed --stop --greedy --option --num-return-sequences --length-penalty --early-stopping --min-new-tokens --no-repeat-ngram-size --encoder-no-repeat-ngram-size --encoder-repetition-penalty --typical-p --top-h --epsilon-cutoff --eta-cutoff --stream' ;;
        help) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help' ;;
        inspect) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help' ;;
        models) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --names' ;;
        plan) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --shape' ;;
        preprocess) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --text --image --audio --video --fps --padding --max-length --truncation --option --output' ;;
        quality) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --text --window' ;;
        render) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --tools --documents --template --no-generation-prompt --option' ;;
        run) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --task --pair --question --context --candidate-labels --output --option --max-new-tokens --num-beams --repetition-penalty --num-return-sequences --length-penalty --early-stopping --min-new-tokens --no-repeat-ngram-size --encoder-no-repeat-ngram-size --encoder-repetition-penalty' ;;
        target) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help' ;;
        targets) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --check' ;;
        tokenize) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --pair --decode --ids --no-special-tokens --max-length --truncation --padding --stride --option' ;;
        verify) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --only --trace' ;;
        verify-text) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help --only --quiet' ;;
        version) words=' --json --threads --auto --target --target-policy --tokenizer --weights --dtype --verbose --help' ;;
        esac
    elif [ "${COMP_WORDS[1]}" = help ]; then
        words='bench cache chat compile completion embed generate help inspect models plan preprocess quality render run target targets tokenize verify verify-text version'
    elif [ "${COMP_WORDS[1]}" = completion ]; then
        words='bash zsh'
    fi
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -F _anymodel anymodel
