// SPDX-License-Identifier: Apache-2.0

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

/** The Java client of the live tests: Client PORT COUNT PREFIX; four threads. */
public class Client {
	private static final String[] PATHS = {"/f1.bin", "/f777.bin", "/f5000.bin", "/f70000.bin", "/none", "/moved"};
	private static final String[] METHODS = {"GET", "HEAD", "POST"};

	public static void main(String[] args) throws Exception {
		int count = Integer.parseInt(args[1]);
		HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
		Thread[] threads = new Thread[4];
		for (int n = 0; n < threads.length; n++) {
			int first = n;
			threads[n] = new Thread(() -> {
				for (int i = first; i < count; i += 4)
					one(client, args[0], i, args[2]);
			});
			threads[n].start();
		}
		for (Thread thread : threads)
			thread.join();
	}

	private static void one(HttpClient client, String port, int i, String prefix) {
		String method = METHODS[i % 3];
		URI uri = URI.create("http://127.0.0.1:" + port + PATHS[i % PATHS.length] + "?id=" + prefix + i);
		var body = method.equals("POST") ? BodyPublishers.ofByteArray(new byte[i % 5000]) : BodyPublishers.noBody();
		try {
			client.send(HttpRequest.newBuilder(uri).method(method, body).build(), BodyHandlers.discarding());
		} catch (Exception error) {
			error.printStackTrace();
			System.exit(1);
		}
	}
}
