/**
 * Marks of a translation, by name. Each is a regular expression over one sentence without its code. They miss some sentences and catch
 * some good ones: compare the share with an earlier one, and read the sentences of `--list`.
 */
export const MARKS = {
  'header that is a clause': /^Owns\b|^(?:What|Who|Whose)\b (?!changes|to )[^?,:]*\.?$/,
  'clause in place of a noun':
    /\b(?:of|for|from|with|by|than|on|at|beside|like|as|only|is|are) what\b|^What [^?]* (?:is|are|stays?|has|comes|goes)\b[^?]*$|\bwhat (?:is|was|are|were|has|takes|needs|runs|goes|comes|would|could|does)\b(?! (?:to|it)\b)|^Who\b[^?]*$|\b(?:of|for|from|with|by|than|says|say|tells?|knows?|asks?|is|to) (?:who|whose)\b|\bthat which\b|\bbecomes? of\b|^Which\b[^?]* (?:is|are) (?:meant|there)\b/i,
  'clause at the end':
    /, (?:which|whose|(?:for|of|in|by|with|from|on) which|where|if not)\b[^,;:]*\.?$|\bwhere (?:there|it|they|that) (?:is|are|has|have|does|do)\b[^,;:]*\.$/,
  'passive without an actor':
    /\b(?:is|are|was|were|be|been|being) (?:not |never |only |also |always )?(?:asked|told|said|meant|let|wanted|waited|agreed|thought|spoken|judged|gone|taken (?:for|from|as|in|back)|left (?:to|as|out)|seen to)\b(?! by)/i,
  'goes on': /\bgo(?:es|ing)? on\b|\bwent on\b|\bgo(?:es)? (?:back|by|for|away)\b/i,
  'of its own': /\b(?:of|on) (?:its|their|his|one's) own\b|\b(?:by|for) (?:itself|themselves)\b/i,
  'is no X':
    /(?<!\bthere )\b(?:is|are|was|were|be) no\b(?! longer)|(?<!\bthere )\b(?:is|are|was|were|has|have) none\b/i,
  'any more': /\bany ?more\b|\bno more than\b|\bcan not\b|\bshall\b|\ball the same\b/i,
  'as long as':
    /\bas long as\b|\bthat is so\b|\bas it (?:is|was|should)\b|\bso far as\b|\bas (?:they are|they were)\b|\bbut for\b/i,
  'inverted order':
    /^(?:Nothing|None|Nor|Neither|Not|Of|So|Such|Nobody)\b (?!rules|with)[^:]*\b(?:is|are|does|has|says|tells|can)\b|\b(?:so|nor|neither) (?:is|are|does|do|has|can|was)\b/,
  'here or there as a noun':
    /\b(?:from|in|by|over|stays?|lies|only) (?:here|there)\b(?! (?:is|are|was|were)\b)|\b(?:is|are|was|were) (?:not )?there[.,;:]/i,
  'pronoun for an actor': /\b(?:nobody|everybody|somebody|anybody|whoever)\b/i,
  'private word':
    /\b(?:mends?|mended|papers|knock\w*|prove[ns]?|strangers?|shelf|books|beside|lies? in|elsewhere|(?:that|which|it) (?:makes|leads) (?:there|to it)|leads? there|without a word|word of ours|of ours)\b/i,
  'too long': { test: (sentence) => (sentence.match(/\b[A-Za-z][\w'-]*\b/g) ?? []).length > 35 },
};
