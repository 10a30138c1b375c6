// SPDX-License-Identifier: Apache-2.0
// Looks up each name on standard input.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.UnknownHostException;

public class Lookup {
	public static void main(String[] args) throws Exception {
		BufferedReader names = new BufferedReader(new InputStreamReader(System.in));
		for (String name = names.readLine(); name != null; name = names.readLine()) {
			String said = "ok";
			try {
				InetAddress.getAllByName(name);
			} catch (UnknownHostException e) {
				said = "failed";
			}
			System.out.println(said);
		}
	}
}
