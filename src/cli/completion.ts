// Prints what makes a shell complete commands, options and their values, from the same lists that help is made of.
import { type CliCommand, defineCommand, parseCall, wrongCall } from './command.ts';

/** `all`: asked for late, because the list holds this command too. */
export function completionOf(all: () => readonly CliCommand[]): CliCommand {
  const completion: CliCommand = defineCommand({
    name: 'completion',
    usage: [['completion bash', 'print a script that completes commands and options; see --help']],
    options: {},
    about:
      'For this shell: source <(tourniquet completion bash). For every shell: put that line into ~/.bashrc.',
    exitCodes: '0 printed; 2 a wrong call.',
    run(argv, { stdout }) {
      const { positionals } = parseCall(completion, argv, {});
      if (positionals.join(' ') !== 'bash') throw wrongCall(completion, 'bash is the only shell so far.\n');
      stdout.write(bashScript(all()));
      return 0;
    },
  });
  return completion;
}

export function bashScript(commands: readonly CliCommand[]): string {
  const cases = commands.map((command) => {
    const flags = Object.keys(command.options).map((option) => `--${option}`);
    return `    ${command.name}) words="${[...verbsOf(command), ...flags, '--help'].join(' ')}" ;;`;
  });
  const values = commands.flatMap(({ name, options }) =>
    Object.entries(options).flatMap(([option, { choices }]) =>
      choices ? [`    "${name} --${option}") words="${choices.join(' ')}" ;;`] : [],
    ),
  );
  return `# Completion of tourniquet for bash.
_tourniquet() {
  local words="" current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  case "\${COMP_WORDS[1]} $before" in
${values.join('\n')}
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.map(({ name }) => name).join(' ')} --help"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _tourniquet tourniquet
`;
}

/** `verify` of `audit verify <incident>`. */
const verbsOf = ({ name, usage }: CliCommand): string[] => [
  ...new Set(usage.flatMap(([call]) => new RegExp(`^${name} ([a-z]+)( |$)`).exec(call)?.[1] ?? [])),
];
