/** stub */
export type Role = { readonly name: string };
export const BUILT_IN_ROLES: readonly Role[] = [{ name: 'full' }, { name: 'read' }, { name: 'monitor' }];
