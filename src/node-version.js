// Plain JavaScript, so that a Node which is too old can still say so instead of failing on the first type.
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(
    `Tourniquet needs Node 24 or newer, and this is ${process.version}. ` +
      'Run it with npm after a plain "npm ci" (without --omit=dev or --ignore-scripts), which brings Node 26; or install Node 24 or newer.',
  );
  // Not 1, which the command line answers where a leak was found and reported.
  process.exit(2);
}
