/** What became of a request. `later`: it may be sent again, after `afterMs` if the backend said when. */
export type Answer =
  | { readonly kind: 'accepted'; readonly rejected?: { readonly items: number; readonly why: string } }
  | { readonly kind: 'later'; readonly why: string; readonly afterMs?: number }
  | { readonly kind: 'refused'; readonly why: string };
