// What somebody did who decided, after their name.
export const VERBS = {
  contain: 'quarantined it',
  approve: 'approved the plan',
  withdraw: 'took back the approval',
  'break-glass': 'BROKE THE GLASS and runs the plan alone',
  review: 'closed the review',
  decline: 'declined the plan',
  'not-a-leak': 'called it a false alarm',
  undo: 'undid what was done',
  identify: 'said which token it is',
  retry: 'tried the run again',
  skip: 'let the run go on without what holds it up',
  'roll-back': 'rolled the run back',
  'cancel-soak': 'kept the old Secret',
  choose: 'chose another way',
  outside: 'answered for the users outside the cluster',
  'leave-out': 'left out a cluster that could not be asked',
} as const;
