// What each sentence that people read claims about the leaked token. Words that are not here fail the model: whoever writes new ones says what they claim.

/**
 * live: it works. contained: it is switched off for now. dead: it is refused, revoked, killed. unknown: nobody can say.
 * none: nothing about whether it works now; what was done, or seen at a stated time, is history.
 */
export type Claim = 'live' | 'contained' | 'dead' | 'unknown' | 'none';

export interface Claimed {
  claim: Claim;
  /** The words say how long ago it was seen. */
  aged: boolean;
}

type Table = readonly (readonly [RegExp, Claim])[];

const AGED = /\blast (seen|look)|\bas of\b|\bseen [^.]*\bago\b|\bseen <!date|\bnot looked at since\b/i;

const TITLES: Table = [
  [/^[^·]*[\w-] not asked/, 'unknown'],
  [/^Not refused yet/, 'live'],
  [/^Paused/, 'none'],
  [/^Not known whether the token still works/, 'unknown'],
  [/^False alarm, its quarantine was not undone/, 'none'],
  [/^LEAK LIVE/, 'live'],
  [/^Declined: LEAK STILL LIVE/, 'live'],
  [/^Quarantining now/, 'live'],
  [/^Running the plan/, 'live'],
  [/^Contained/, 'contained'],
  [/^Already quarantined/, 'contained'],
  [/^(Declined|False alarm), the quarantine stays/, 'contained'],
  [/^Revoked/, 'dead'],
  [/^Already dead/, 'dead'],
  [/^Found dead/, 'dead'],
  [/^Killed, proof under way/, 'dead'],
  [/^Refused (by|on)/, 'dead'],
  [/^Dead by object state/, 'dead'],
  [/^Expired: accepted nowhere/, 'dead'],
  [/^\p{Lu}[\w-]*: (refused|dead) /u, 'dead'],
  [/^Not proven dead/, 'unknown'],
  [/^Still accepted offline/, 'unknown'],
  [/^Leak reported: not known whether the token works/, 'unknown'],
  [/^Leak reported: a person must say which token/, 'unknown'],
  [/^Leak reported, being looked into/, 'none'],
  [/^(Undoing the quarantine|Rolling back)/, 'none'],
  [/^(False alarm|Declined)/, 'none'],
];

const CARD: Table = [
  [/^\*Still works:\* ([\w-]+: )?\*yes\*/, 'live'],
  [/^\*Still works:\* ([\w-]+: )?no, (its Secret is )?quarantined/, 'contained'],
  [/^\*Still works:\* ([\w-]+: )?no, (dead|refused)/, 'dead'],
  [/^\*Still works:\* ([\w-]+: )?\*not known\*/, 'unknown'],
  [/^\*Live again\* \(<!date/, 'none'],
  [/^\*Live again:\*/, 'live'],
  [/^\*Was proven dead <!date/, 'none'],
  [/^\*Proof:\* under way/, 'none'],
  [/^\*Proof:?\*:? .*<!date/, 'none'],
  [/^\*Proof:\*/, 'dead'],
  [/^\*(Looked again|Asked again without an answer:)\* ([\w-]+: )?<!date/, 'none'],
  [/^This was done and not undone: /, 'none'],
  [/^The quarantine was left in place, so whoever uses this token still gets 401/, 'contained'],
  [/^Killed .*<!date/, 'none'],
  [/^\*(Not checked|Accepted offline):\*/, 'unknown'],
  [
    /^\*(Trouble|Stopped|Leaked|Token|Last used|Used by|What a thief can do|Watch out|Could not be read):\*/,
    'none',
  ],
  [
    /^\*(Issued|Expires|Expired|Note|Plan|Asked for by|News|Copies in other Secrets|Not looked at):\*/,
    'none',
  ],
  [/^\*(Must be approved by|May quarantine at once|For the quarantine|Approved so far by):\*/, 'none'],
  [
    /^\*(Not contained automatically|Same ServiceAccount, tokens of their own|New tokens for users outside)/,
    'none',
  ],
  [/^\*(Closed|Contained by policy|Break-glass)\* .*<!date/, 'none'],
  [/^\*PAUSED/, 'none'],
  [/^\*(Plan|Under way|Being taken back)\*$/, 'none'],
  [/^\*?\d+\. \*/, 'none'],
  [/^(\*Cannot be undone\.\*|Can be undone\.) Breaks:/, 'none'],
  [/^(•|…|`\[|Reported |Until |Elsewhere: |Or the long-lived one of Secret )/, 'none'],
  [/^<@\w+> .*<!date/, 'none'],
  [/^\*[\w-]+\*: (each API server|only the load balancer|the token itself could not)/, 'none'],
  [/^Incident `/, 'none'],
];

const HOME: Table = [
  [
    /^(Waits for you|Nothing waits for you|Also open|Nothing else is open|Decided lately|Nothing yet)/,
    'none',
  ],
  [/^<!date.*<@\w+>/, 'none'],
];

const BURST: Table = [
  [/^\*Where:\*/, 'none'],
  [/^Burst `/, 'none'],
  [/^\d+ leaks? reported in/, 'none'],
  [/^\*\d+ (ask for the same|plans? waits?)/, 'none'],
];

const TERMINAL: Table = [
  [/^provenDead: true/, 'dead'],
  [/^contained: true/, 'contained'],
  [/^(provenDead|contained): false/, 'none'],
  [/^status: (resolved|expired)(, last seen \d{4}-.*)?$/, 'dead'],
  [/^status: /, 'none'],
  [/^evidence: .* at \d{4}-/, 'none'],
  [/^- Status: (resolved|expired), closed \d{4}-/, 'none'],
  [/^- (Token|Reported|Status|Time to kill|Time to proof|Break-glass): /, 'none'],
  [/^- In effect and can be undone/, 'contained'],
  [/^- .*: (done|not-done|unknown)\. /, 'none'],
  [/^- .*: not done yet$/, 'none'],
  [/^(Run `| {2}- by hand:|Nothing\.|- Waits for approval:|- The break-glass of)/, 'none'],
  [/^- /, 'none'],
  [/^\|/, 'none'],
  [/^#/, 'none'],
  [/^(done|unknown|not-done): /, 'none'],
  [/^\d+ entries\. Head/, 'none'],
];

const all: Table = [...TITLES, ...CARD, ...HOME, ...BURST, ...TERMINAL];

/** Throws for words that nobody has classified. */
export function claimOf(line: string): Claimed {
  const words = line.trim().replace(/^\*?[🔴🟠🟢⚪] /u, '');
  if (words === '') return { claim: 'none', aged: false };
  const [, claim] = all.find(([pattern]) => pattern.test(words)) ?? [];
  if (claim === undefined)
    throw new Error(`Nobody has said what these words claim: ${JSON.stringify(words)}`);
  return { claim, aged: AGED.test(words) };
}
