/**
 * THE list of features. Importing one adds it to the core's seams (src/core/seams); deleting its line removes it. Every entry imports this
 * first.
 */

import './features/bundles/feature.ts';
import './features/ca-rotation/feature.ts';
import './features/completion/feature.ts';
import './features/firewall/feature.ts';
import './features/fleet/feature.ts';
import './features/contexts/feature.ts';
import './features/audit/feature.ts';
import './features/team/feature.ts';
import './features/issuers/feature.ts';
import './features/tools/feature.ts';
import './features/haproxy/feature.ts';
import './features/host-csr/feature.ts';
import './features/doctor/feature.ts';
import './features/openssh/feature.ts';
import './features/notices/feature.ts';
import './features/tunnel/feature.ts';
import './features/init/feature.ts';
import './features/podman/feature.ts';
import './features/rootless/feature.ts';
import './features/wizard/feature.ts';
