/** THE list of features. Each adds to the core's seams (src/core/seams) when it is imported, and goes away with its line. Every entry imports this first. */

import './features/audit/feature.ts';
import './features/team/feature.ts';
import './features/issuers/feature.ts';
import './features/tools/feature.ts';
