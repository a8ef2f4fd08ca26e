import { build } from 'esbuild';
const r = await build({metafile:true,absWorkingDir:process.cwd(),entryPoints:{main:'src/cli/main.ts'},outdir:'/tmp/start-out',bundle:true,splitting:true,format:'esm',platform:'node',mainFields:['module','main'],target:'node20',minifySyntax:true,legalComments:'eof',loader:{'.sh':'text','.html':'text'},define:{DOCKER_TLS_VERSION:'"0"'},external:['cpu-features','*.node'],banner:{js:"import { createRequire as __createRequire } from 'node:module';const require = __createRequire(import.meta.url);const __dirname='';const __filename='';"}});
const outs=r.metafile.outputs;
const show=(name)=>{const seen=new Set();const go=(n)=>{if(seen.has(n)||!outs[n])return;seen.add(n);for(const i of outs[n].imports)if(i.kind==='import-statement')go(i.path)};
go(name);let total=0;const ins={};for(const n of seen){total+=outs[n].bytes;for(const[k,v]of Object.entries(outs[n].inputs)){const p=/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(k)?.[1]??k;ins[p]=(ins[p]??0)+v.bytesInOutput}}
console.log('\n==',name,'chunks',seen.size,'bytes',total);console.log(Object.entries(ins).sort((a,b)=>b[1]-a[1]).slice(0,45).map(([k,v])=>`${v} ${k}`).join('\n'))
const ext=new Set();for(const n of seen)for(const i of outs[n].imports)if(i.external)ext.add(i.path+(i.kind==='dynamic-import'?'*':''));console.log('external',[...ext].join(' '))};
const want=process.argv.slice(2);
for(const[n,o]of Object.entries(outs))if(o.entryPoint&&want.includes(o.entryPoint))show(n);
